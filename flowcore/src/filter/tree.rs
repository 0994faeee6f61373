//! The tree of a filter for a reader: what `and`, `or` and `not` bind, and what each term was understood as.

use super::Filter;
use super::expr::Expr;
use super::predicate::Predicate;

/// Blanks a level.
const INDENT: usize = 2;

impl Filter {
    /// The filter as a tree: each term in its canonical spelling on a line of its own, below the `and`, `or` or `not`
    /// that it belongs to.
    ///
    /// ```
    /// # use flowcore::Filter;
    /// let filter = Filter::parse("not tcp or host 10.0.0.1 && port=53")?;
    /// assert_eq!(filter.tree(), "\
    /// or
    ///   not
    ///     tcp
    ///   and
    ///     host 10.0.0.1
    ///     port = 53
    /// ");
    /// # Ok::<(), flowcore::FilterError>(())
    /// ```
    pub fn tree(&self) -> String {
        let mut text = String::new();
        write(&self.0.tree, 0, &mut text);
        text
    }
}

fn write(expr: &Expr<Predicate>, level: usize, out: &mut String) {
    let mut line = |text: &str| {
        out.extend(std::iter::repeat_n(' ', level * INDENT));
        // A quoted value may hold line ends; a term is a line all the same.
        out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        out.push('\n');
    };
    match expr {
        Expr::Term(term) => line(&term.text),
        Expr::Not(inner) => {
            line("not");
            write(inner, level + 1, out);
        }
        Expr::And(parts) => {
            line("and");
            parts.iter().for_each(|part| write(part, level + 1, out));
        }
        Expr::Or(parts) => {
            line("or");
            parts.iter().for_each(|part| write(part, level + 1, out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_line_whatever_is_in_it() {
        let filter = Filter::parse("ident 'a\nb\u{1b}[2J'").unwrap();
        let tree = filter.tree();
        assert!(tree.lines().count() == 1 && tree.chars().all(|c| c == '\n' || !c.is_control()), "{tree:?}");
    }

    #[test]
    fn nothing_is_any() {
        assert_eq!(Filter::parse("").unwrap().tree(), "any\n");
        assert_eq!(Filter::parse("(((tcp)))").unwrap().tree(), "tcp\n");
    }
}
