//! Refuses deep nesting before a general reader sees it: that one takes seconds to find it out.

use super::MAX_DEPTH;

/// The line (from 1) where lists and maps are nested more deeply than any cassette does, if there is one.
///
/// It follows brackets and dashes past quotes, comments and literal blocks, in one pass. Where it takes a bracket
/// inside a bare text for one that opens a list, it errs on the side of depth, and 64 of those are no bare text.
pub(super) fn too_deep(text: &str) -> Option<u64> {
    let mut walk = Walk { open: 0, quote: None, block: None };
    let mut lines = (1u64..).zip(text.lines());
    lines.find_map(|(number, line)| walk.line(line.as_bytes()).then_some(number))
}

struct Walk {
    /// Brackets and braces that are open.
    open: usize,
    /// The quote that a text over several lines waits for.
    quote: Option<u8>,
    /// The lines of a literal block are indented by more than this.
    block: Option<usize>,
}

impl Walk {
    /// Whether this line goes too deep.
    fn line(&mut self, line: &[u8]) -> bool {
        let mut at = line.iter().take_while(|&&byte| byte == b' ').count();
        if let Some(parent) = self.block {
            if at > parent || line.trim_ascii().is_empty() {
                return false;
            }
            self.block = None;
        }
        let (mut parent, mut after_dash, mut dashes) = (at, false, 0);
        if self.open == 0 && self.quote.is_none() {
            while let [b'-' | b'?' | b':', b' ' | b'\t', rest @ ..] = &line[at..] {
                parent = at;
                after_dash = true;
                dashes += 1;
                at += 2 + rest.iter().take_while(|&&byte| byte == b' ').count();
            }
        }
        // spaces before the first dash of a line: each level of a block takes at least one
        if dashes > MAX_DEPTH {
            return true;
        }
        let content = at;
        let mut may_begin = true;
        while let Some(&byte) = line.get(at) {
            at += 1;
            if let Some(quote) = self.quote {
                match byte {
                    b'\\' if quote == b'"' => at += 1,
                    _ if byte == quote => self.quote = None,
                    _ => {}
                }
                may_begin = false;
                continue;
            }
            match byte {
                b'"' | b'\'' if may_begin => self.quote = Some(byte),
                b'#' if at == 1 || matches!(line[at - 2], b' ' | b'\t') => return false,
                b'[' | b'{' if may_begin || self.open > 0 => self.open += 1,
                b']' | b'}' => self.open = self.open.saturating_sub(1),
                b'|' | b'>' if may_begin && self.open == 0 && is_header(&line[at..]) => {
                    self.block = Some(if after_dash && at - 1 != content { content } else { parent });
                }
                _ => {}
            }
            if self.open > MAX_DEPTH {
                return true;
            }
            may_begin = match byte {
                b' ' | b'\t' => true,
                b'[' | b'{' | b',' | b':' => self.open > 0,
                _ => false,
            };
        }
        false
    }
}

/// What may follow the `|` or `>` of a block on its line.
fn is_header(rest: &[u8]) -> bool {
    let after = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-')).unwrap_or(rest.len());
    matches!(rest[after..].trim_ascii().first(), None | Some(b'#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_is_found_in_every_form() {
        let deep = ["[".repeat(65), "{".repeat(65), "[{\"a\": ".repeat(33), "- ".repeat(65), "? ".repeat(65)];
        for text in deep {
            assert_eq!(too_deep(&format!("- a: 1\n{text}")), Some(2), "{text}");
        }
        assert_eq!(too_deep(&format!("- a: |\n    x\n  b: {}", "[".repeat(65))), Some(3));
        assert_eq!(too_deep(&format!("- a: 'x'\n  b: [\n{}", "[\n".repeat(65))), Some(66));
    }

    #[test]
    fn what_only_looks_deep_is_left_alone() {
        let many = "[".repeat(100);
        for text in [
            format!("- a: \"{many}\"\n"),
            format!("- a: \"\\\"{many}\"\n"),
            format!("- a: '{many}\n    {many}'\n"),
            format!("- a: 1 # {many}\n# {many}\n"),
            format!("- a: x{many}\n"),
            format!("- |\n  {many}\n\n   {many}\n"),
            format!("- a: |2-\n    {many}\n- b: >+ # folded\n    {many}\n"),
            "- [[1], [2], {a: [3]}]\n".repeat(100),
            "[".repeat(64),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }
}
