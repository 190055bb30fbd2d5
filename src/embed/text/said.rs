//! Sentences that stand in the history, or come from the API and the destinations, in English:
//! a language has a table with its own words for them. What a receiver or a provider said itself is
//! a part of such a sentence, and stays as it is.

/// An English sentence and the same in another language. `*` stands for what is kept as it is, and
/// `&` for what may be such a sentence itself, in the same order in both; `~` for what is left out.
pub type Sentence = (&'static str, &'static str);

/// A text in the words of the first sentence that it is, if there is one.
pub fn translated(sentences: &[Sentence], text: &str) -> Option<String> {
    sentences.iter().find_map(|(english, other)| {
        let parts = parts_of(english, text)?;
        Some(filled(sentences, other, parts.into_iter()))
    })
}

/// What stands in a text in place of the marks of a sentence, if it is this sentence.
fn parts_of<'a>(sentence: &str, text: &'a str) -> Option<Vec<&'a str>> {
    const MARKS: [char; 3] = ['*', '&', '~'];
    let mut fixed = sentence.split(MARKS);
    let mut rest = text.strip_prefix(fixed.next()?)?;
    let mut parts = Vec::new();
    let mut fixed = fixed.zip(sentence.matches(MARKS)).peekable();
    while let Some((next, mark)) = fixed.next() {
        let end = match fixed.peek() {
            None => rest.ends_with(next).then(|| rest.len() - next.len())?,
            Some(_) => rest.find(next)?,
        };
        parts.extend(Some(&rest[..end]).filter(|_| mark != "~"));
        rest = &rest[end + next.len()..];
    }
    rest.is_empty().then_some(parts)
}

fn filled<'a>(
    sentences: &[Sentence],
    template: &str,
    mut parts: impl Iterator<Item = &'a str>,
) -> String {
    let mut text = String::new();
    for c in template.chars() {
        match c {
            '*' => text.push_str(parts.next().unwrap_or_default()),
            '&' => {
                let part = parts.next().unwrap_or_default();
                match translated(sentences, part) {
                    Some(said) => text.push_str(&said),
                    None => text.push_str(part),
                }
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests;
