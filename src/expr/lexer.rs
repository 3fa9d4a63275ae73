//! Cuts the text of an expression into tokens, each with its place.

use super::parse::ParseError;
use super::tree::Operator;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// The content of a string, unescaped.
    Text(String),
    /// A number, in decimal digits.
    Number(String),
    Attribute(String),
    Open,
    Close,
    Comma,
    Operator(Operator),
}

/// A token and the place (in characters, from 0) where it begins.
pub(super) type Placed = (usize, Token);

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ParseError> {
    let mut lexer = Lexer { letters: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer {
    letters: Vec<char>,
    at: usize,
}

impl Lexer {
    fn next(&mut self) -> Result<Option<Placed>, ParseError> {
        self.take_while(char::is_whitespace);
        let start = self.at;
        let Some(letter) = self.peek() else { return Ok(None) };
        let token = match letter {
            '"' => self.string(start)?,
            '[' => self.attribute(start)?,
            '&' => self.hexadecimal(start)?,
            '-' | '0'..='9' => self.number(start)?,
            '(' | ')' | ',' => self.punctuation(letter),
            '=' | '<' | '>' => self.operator(letter),
            letter if letter.is_alphabetic() => {
                Token::Name(self.take_while(|letter| letter.is_alphanumeric() || letter == '_'))
            }
            letter => return Err(stranger(start, letter)),
        };
        Ok(Some((start, token)))
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(letter) = self.peek().filter(|letter| wanted(*letter)) {
            taken.push(letter);
            self.at += 1;
        }
        taken
    }

    fn punctuation(&mut self, letter: char) -> Token {
        self.at += 1;
        match letter {
            '(' => Token::Open,
            ')' => Token::Close,
            _ => Token::Comma,
        }
    }

    fn operator(&mut self, first: char) -> Token {
        self.at += 1;
        let (operator, length) = match (first, self.peek()) {
            ('<', Some('>')) => (Operator::NotEqual, 1),
            ('<', Some('=')) => (Operator::LessOrEqual, 1),
            ('>', Some('=')) => (Operator::GreaterOrEqual, 1),
            ('<', _) => (Operator::Less, 0),
            ('>', _) => (Operator::Greater, 0),
            _ => (Operator::Equal, 0),
        };
        self.at += length;
        Token::Operator(operator)
    }

    /// Only `\\` and `\"` are escapes; anything else is most likely a pattern whose backslash was not doubled.
    fn string(&mut self, start: usize) -> Result<Token, ParseError> {
        let mut text = String::new();
        self.at += 1;
        while let Some(letter) = self.peek() {
            self.at += 1;
            match letter {
                '"' => return Ok(Token::Text(text)),
                '\\' => {
                    let escaped = self.peek().filter(|next| matches!(next, '\\' | '"'));
                    let Some(escaped) = escaped else { return Err(single_backslash(self.at - 1)) };
                    self.at += 1;
                    text.push(escaped);
                }
                letter => text.push(letter),
            }
        }
        Err(ParseError::new(start, "this string has no closing quote"))
    }

    fn attribute(&mut self, start: usize) -> Result<Token, ParseError> {
        self.at += 1;
        let name = self.take_while(|letter| !matches!(letter, ']' | '[' | '"' | '(' | ')' | ','));
        if self.peek() != Some(']') {
            return Err(ParseError::new(start, "this attribute has no closing bracket"));
        }
        self.at += 1;
        match name.trim() {
            "" => Err(ParseError::new(start, "an attribute's name is missing between the brackets")),
            name => Ok(Token::Attribute(name.to_owned())),
        }
    }

    fn number(&mut self, start: usize) -> Result<Token, ParseError> {
        self.at += 1;
        let digits = self.take_while(|letter| letter.is_ascii_digit());
        match format!("{}{digits}", self.letters[start]).parse::<i64>() {
            Ok(_) if self.peek() == Some('.') => Err(ParseError::new(start, "numbers are whole numbers")),
            Ok(number) => Ok(Token::Number(number.to_string())),
            Err(_) => Err(ParseError::new(start, "this is not a whole number of up to 18 digits")),
        }
    }

    fn hexadecimal(&mut self, start: usize) -> Result<Token, ParseError> {
        self.at += 1;
        let wrong =
            || ParseError::new(start, "a hexadecimal number is written &H and then its digits, as in &HF7");
        if !self.peek().is_some_and(|letter| letter.eq_ignore_ascii_case(&'h')) {
            return Err(wrong());
        }
        self.at += 1;
        let digits = self.take_while(|letter| letter.is_ascii_hexdigit());
        i64::from_str_radix(&digits, 16).map(|number| Token::Number(number.to_string())).map_err(|_| wrong())
    }
}

fn single_backslash(at: usize) -> ParseError {
    ParseError::new(at, r#"in a string a backslash is written twice (`\\`); only `\\` and `\"` are escapes"#)
}

fn stranger(at: usize, letter: char) -> ParseError {
    let text = match letter {
        '\'' | '“' | '”' => "strings stand between straight double quotes (\")".to_owned(),
        letter => format!("`{letter}` has no meaning outside a string"),
    };
    ParseError { position: at, text }
}
