//! Text that may stand anywhere in a page, in elements and in attributes.

use std::fmt::{self, Write};

/// Displays as the text, escaped. Control characters, and the ones that turn the direction of what follows, are shown
/// by their number.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' | '\t' => out.write_char(character)?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => write!(out, "\\u{{{:x}}}", character as u32)?,
                control if control.is_control() => write!(out, "\\x{:02x}", control as u32)?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn nothing_is_left_that_means_something() {
        let hostile = "</script><img src=x onerror='alert(1)'>&amp;\"\u{0}\u{202e}\r\n";
        let expected =
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;&quot;\\x00\\u{202e}\\x0d\n";
        assert_eq!(Escaped(hostile).to_string(), expected);
    }
}
