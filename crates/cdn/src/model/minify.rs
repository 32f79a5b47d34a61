//! Makes the function's code smaller: CloudFront limits it to 10 KB, with names, comments and spaces.
//!
//! It is no minifier for any JavaScript: the code has no divisions, no template literals and no arrow functions, and ends statements with
//! semicolons.

use std::collections::{BTreeMap, BTreeSet};

/// A part of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name or a number.
    Word(String),
    /// A string or a regular expression, as it is.
    Literal(String),
    /// Spaces or a line break.
    Space,
    /// Any other character.
    Sign(char),
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = code.chars().peekable();
    while let Some(first) = letters.next() {
        if is_word(first) {
            let mut word = String::from(first);
            while let Some(next) = letters.next_if(|next| is_word(*next)) {
                word.push(next);
            }
            tokens.push(Token::Word(word));
        } else if first == '/' && letters.peek() == Some(&'/') {
            letters.by_ref().take_while(|letter| *letter != '\n').for_each(drop);
        } else if ['\'', '"', '/'].contains(&first) {
            let mut literal = String::from(first);
            while let Some(next) = letters.next() {
                literal.push(next);
                if next == '\\' {
                    literal.extend(letters.next());
                } else if next == first {
                    break;
                }
            }
            tokens.push(Token::Literal(literal));
        } else if first.is_whitespace() {
            if tokens.last() != Some(&Token::Space) {
                tokens.push(Token::Space);
            }
        } else {
            tokens.push(Token::Sign(first));
        }
    }
    tokens
}

/// The names that the code declares, but for those in `kept`: variables, functions and their parameters.
fn declared(tokens: &[Token], kept: &[&str]) -> Vec<String> {
    let (mut names, mut before, mut in_parameters): (Vec<String>, &str, bool) = (Vec::new(), "", false);
    for token in tokens {
        match token {
            Token::Word(word) if ["var", "function", "catch"].contains(&word.as_str()) => before = word,
            Token::Word(word) => {
                if (in_parameters || before == "var" || before == "function") && !names.contains(word) {
                    names.push(word.clone());
                }
                before = if before == "function" { "function" } else { "" };
            }
            Token::Sign('(') => {
                in_parameters |= before == "function" || before == "catch";
                before = "";
            }
            Token::Sign(')') => in_parameters = false,
            Token::Literal(_) | Token::Space | Token::Sign(_) => {}
        }
    }
    names.retain(|name| !kept.contains(&name.as_str()) && name.len() > 2);
    names
}

/// The same code, without comments and spaces, and with short names for what it declares. `kept` are names that are known outside.
pub(crate) fn minified(code: &str, kept: &[&str]) -> String {
    let tokens = tokens(code);
    let words: BTreeSet<&str> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(word.as_str()),
            Token::Literal(_) | Token::Space | Token::Sign(_) => None,
        })
        .collect();
    let letters = || ('a'..='z').chain('A'..='Z');
    let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let short = letters().map(String::from).chain(pairs);
    let short =
        short.filter(|name| !words.contains(name.as_str()) && !["do", "if", "in", "of", "as"].contains(&name.as_str()));
    let names: BTreeMap<String, String> = declared(&tokens, kept).into_iter().zip(short).collect();
    let significant: Vec<&Token> = tokens.iter().filter(|token| **token != Token::Space).collect();
    let mut text = String::with_capacity(code.len());
    for (at, token) in significant.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| significant[before]);
        let word = match token {
            Token::Literal(literal) => literal.clone(),
            Token::Sign(sign) => sign.to_string(),
            Token::Space => String::new(),
            Token::Word(word) => {
                let is_key = matches!(before, Some(Token::Sign('{' | ',')))
                    && significant.get(at + 1) == Some(&&Token::Sign(':'));
                let is_property = before == Some(&Token::Sign('.'));
                names.get(word).filter(|_| !is_key && !is_property).unwrap_or(word).clone()
            }
        };
        let needs_space = matches!(before, Some(Token::Word(_))) && word.starts_with(is_word);
        if needs_space {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_declared_become_short_and_the_rest_stays() {
        let code = "import cf from 'cloudfront';\n// A comment.\nasync function handler(event) {\n  var request = event.request;\n  \
                    return request ? { request: 'request it', event: event.event } : /a request\\/b/.test(request) ? request : null;\n}\n";
        let expected = "import cf from'cloudfront';async function handler(a){var b=a.request;return b?{request:'request it',event:a.event}:\
                        /a request\\/b/.test(b)?b:null;}";
        assert_eq!(minified(code, &["handler"]), expected);
    }

    #[test]
    fn parameters_of_functions_without_a_name_and_of_catch_become_short() {
        let code = "function sum(first, second) { try { return first.map(function (each) { return each + second; }); } catch (error) { \
                    return error; } }";
        let expected = "function a(b,c){try{return b.map(function(d){return d+c;});}catch(e){return e;}}";
        assert_eq!(minified(code, &[]), expected);
    }
}
