//! Templates with places to fill in. What is filled in is never looked at again.

/// Puts each value in the place of its `§name§`. Lines of a value are as deep as its place; an empty one takes its line along.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    for line in template.split_inclusive('\n') {
        let trimmed = line.trim();
        let alone = values.iter().any(|(name, value)| value.is_empty() && trimmed == format!("§{name}§"));
        if alone {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut rest = line;
        while let Some((before, (name, behind))) =
            rest.split_once('§').and_then(|(before, rest)| Some((before, rest.split_once('§')?)))
        {
            let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
            out.push_str(before);
            for (at, line) in value.split('\n').enumerate() {
                if at > 0 {
                    out.push('\n');
                    out.push_str(if line.is_empty() { "" } else { indent });
                }
                out.push_str(line);
            }
            rest = behind;
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn what_is_filled_in_is_indented_and_never_filled_again() {
        let template = "a\n  §x§;\n§none§\n  b(§x§, §y§)\n";
        let values = [("x", "1\n\n2".to_owned()), ("y", "§x§".to_owned()), ("none", String::new())];
        assert_eq!(fill(template, &values), "a\n  1\n\n  2;\n  b(1\n\n  2, §x§)\n");
    }
}
