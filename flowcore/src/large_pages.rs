//! Large pages for tables of many megabytes, whose places are asked for in no order.
//!
//! With pages of 4 KiB, each look at such a table waits twice: for the place, and for what says where the page is. Counting
//! 3.7 million groups also took 100,000 page faults, more than a quarter of its processor time. Linux gives pages of 2 MiB
//! where that is allowed (`/sys/kernel/mm/transparent_hugepage/enabled`) and asked for; elsewhere nothing changes.

/// Asks for large pages behind this memory, as far as it spans any. To be asked before the memory is first written.
#[cfg(target_os = "linux")]
pub fn ask_for<T>(memory: &mut [std::mem::MaybeUninit<T>]) {
    let start = memory.as_mut_ptr().addr().next_multiple_of(LARGE_PAGE);
    let end = memory.as_mut_ptr_range().end.addr() / LARGE_PAGE * LARGE_PAGE;
    let Some(len) = end.checked_sub(start).filter(|len| *len > 0) else { return };
    let range = memory.as_mut_ptr().map_addr(|_| start).cast();
    // SAFETY: the range lies inside `memory`, which is borrowed exclusively, and this advice changes neither what is there nor
    // who may look at it, only the size of the pages.
    #[expect(unsafe_code, reason = "advice about memory has no safe form")]
    // It is advice: a system that knows no such pages refuses it.
    let _: std::io::Result<()> =
        unsafe { rustix::mm::madvise(range, len, rustix::mm::Advice::LinuxHugepage) }.map_err(Into::into);
}

/// No other system is asked.
#[cfg(not(target_os = "linux"))]
pub fn ask_for<T>(_memory: &mut [std::mem::MaybeUninit<T>]) {}

/// Bytes of a page that is large on the usual processors.
#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;

#[cfg(test)]
mod tests {
    #[test]
    fn memory_of_any_size_keeps_what_it_holds() {
        for len in [0, 1, 4096, 2 << 20, (6 << 20) + 123] {
            let mut memory: Vec<u8> = Vec::with_capacity(len);
            super::ask_for(memory.spare_capacity_mut());
            memory.resize(len, 7);
            assert!(memory.iter().all(|byte| *byte == 7));
        }
    }
}
