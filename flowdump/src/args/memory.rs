//! How much memory groups may take: what `--memory` says, else half of what the machine has for us.

use flowcore::{Error, Result};

/// Bytes that groups may take.
///
/// # Errors
/// When the text is no size.
pub(super) fn for_groups(text: Option<&str>) -> Result<usize> {
    match text {
        Some(text) => size(text).ok_or_else(|| {
            Error::argument(format!(
                "--memory {text}: no size; give bytes, or a number with K, M, G or T behind it"
            ))
        }),
        None => Ok(available().map_or(USUAL, |bytes| bytes / 2)),
    }
}

/// `500M`: factors of 1024, at least one byte.
fn size(text: &str) -> Option<usize> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match upper.get(digits.len()..)? {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return None,
    };
    let number: usize = digits.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(1_usize.checked_shl(shift)?)
}

/// The smaller of the machine's memory and of what the control group allows; `None` where the system does not say.
fn available() -> Option<usize> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| total(&text));
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Where the system does not say how much there is.
const USUAL: usize = 4 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!((size("1"), size("2k"), size("500M")), (Some(1), Some(2048), Some(500 << 20)));
        assert_eq!((size("8GiB"), size("1tb")), (Some(8 << 30), Some(1 << 40)));
        for text in ["", "0", "G", "-1", "1.5G", "1X", "99999999999999999999", "99999999999T", "1ü"] {
            assert_eq!(size(text), None, "{text}");
            assert!(for_groups(Some(text)).unwrap_err().to_string().starts_with("--memory"), "{text}");
        }
    }

    #[test]
    fn the_machine_has_some() {
        assert_eq!(total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(for_groups(None).unwrap() > 1 << 20);
    }
}
