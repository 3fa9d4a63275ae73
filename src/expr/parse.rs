//! Reads an expression: grammar, names, numbers of arguments.

use super::functions;
use super::functions::Found;
use super::functions::Function;
use super::functions::Refusal;
use super::lexer;
use super::lexer::Placed;
use super::lexer::Token;
use super::tree::Call;
use super::tree::Comparison;
use super::tree::Node;

/// The bound of the provisioning service itself.
pub const EXPRESSION_CHARS_MAX: usize = 10_000;

/// How deep calls may nest; people stop near ten, and the parser recurses.
pub const DEPTH_MAX: usize = 64;

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {}: {text}", position + 1)]
pub struct ParseError {
    /// In characters of the text, from 0.
    pub position: usize,
    pub text: String,
}

impl ParseError {
    pub(super) fn new(position: usize, text: &str) -> ParseError {
        ParseError { position, text: text.to_owned() }
    }

    /// The line of `expression` that is wrong, and below it a caret under the place.
    pub fn caret(&self, expression: &str) -> String {
        let before: String = expression.chars().take(self.position).collect();
        let line = expression.lines().nth(before.matches('\n').count()).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        format!("{line}\n{}^", " ".repeat(column))
    }
}

/// The call that `text` is, and hints on how to write it better.
pub(super) fn parse(text: &str) -> Result<(Call, Vec<String>), ParseError> {
    let length = text.chars().count();
    if length > EXPRESSION_CHARS_MAX {
        let text = format!("the expression has {length} characters; {EXPRESSION_CHARS_MAX} are allowed");
        return Err(ParseError { position: EXPRESSION_CHARS_MAX, text });
    }
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0, end: length, hints: Vec::new() };
    let call = parser.whole()?;
    Ok((call, parser.hints))
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    end: usize,
    hints: Vec<String>,
}

impl Parser {
    fn whole(&mut self) -> Result<Call, ParseError> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return Err(self.no_call()) };
        let start = self.place();
        self.at += 1;
        let Node::Call(call) = self.named(name, start, 1)? else { return Err(self.no_call()) };
        match self.peek() {
            None => Ok(call),
            Some(_) => Err(self.error("an expression is one function call; nothing may follow it")),
        }
    }

    fn no_call(&self) -> ParseError {
        match self.tokens.first() {
            None => ParseError::new(0, "the expression is empty"),
            Some((_, Token::Attribute(name))) => {
                let text = format!(
                    "an expression is one function call; to copy `{name}`, write attribute = \"{name}\""
                );
                ParseError { position: 0, text }
            }
            Some((at, _)) => ParseError::new(
                *at,
                "an expression is one function call, such as Join(\" \", [givenName], [surname])",
            ),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(place, _)| *place)
    }

    fn error(&self, text: &str) -> ParseError {
        ParseError::new(self.place(), text)
    }

    /// Whether the next token is this one; if so, it is passed.
    fn passed(&mut self, token: &Token) -> bool {
        let passed = self.peek() == Some(token);
        self.at += usize::from(passed);
        passed
    }

    /// What begins with a name: a call, or a constant.
    fn named(&mut self, name: String, start: usize, depth: usize) -> Result<Node, ParseError> {
        if depth > DEPTH_MAX {
            let text = format!("calls are nested deeper than {DEPTH_MAX}");
            return Err(ParseError { position: start, text });
        }
        if !self.passed(&Token::Open) {
            return bare_word(&name, start);
        }
        let function = self.function(&name, start)?;
        if function.outermost && depth > 1 {
            let text = format!("{} stands for the whole expression; give it a row of its own", function.name);
            return Err(ParseError { position: start, text });
        }
        let (arguments, places) = self.arguments(function, depth)?;
        let pattern = function.check(&arguments).map_err(|Refusal { place, text }| {
            let position = place.and_then(|place| places.get(place).copied()).unwrap_or(start);
            ParseError { position, text }
        })?;
        Ok(Node::Call(Call { function, arguments, pattern }))
    }

    fn function(&mut self, name: &str, start: usize) -> Result<&'static Function, ParseError> {
        match functions::find(name) {
            Found::Function(function) => {
                if function.name != name {
                    self.hints.push(format!("`{name}` is written `{}`", function.name));
                }
                Ok(function)
            }
            Found::Unknown(None) => {
                Err(ParseError { position: start, text: format!("there is no function `{name}`") })
            }
            Found::Unknown(Some(near)) => {
                let text = format!("there is no function `{name}`; did you mean `{near}`?");
                Err(ParseError { position: start, text })
            }
        }
    }

    /// `[ arg { "," arg } ] ")"`, where an argument may be empty; and where each begins.
    fn arguments(
        &mut self,
        function: &Function,
        depth: usize,
    ) -> Result<(Vec<Node>, Vec<usize>), ParseError> {
        let mut arguments = Vec::new();
        let mut places = Vec::new();
        if self.passed(&Token::Close) {
            return Ok((arguments, places));
        }
        loop {
            let condition = function.condition && arguments.is_empty();
            places.push(self.place());
            arguments.push(self.argument(condition, depth)?);
            if self.passed(&Token::Close) {
                return Ok((arguments, places));
            }
            if !self.passed(&Token::Comma) {
                return Err(self.unexpected(condition));
            }
        }
    }

    fn unexpected(&self, condition: bool) -> ParseError {
        match self.peek() {
            None => self.error("a closing parenthesis is missing"),
            Some(Token::Name(word)) if condition && is_logical(word) => self.error(
                "conditions cannot be joined by AND or OR; nest a second IIF in the part that it decides",
            ),
            Some(Token::Operator(_)) => {
                self.error("a comparison stands only in the condition of IIF and in CBool, and has two sides")
            }
            Some(_) => self.error("a comma or a closing parenthesis is missing here"),
        }
    }

    fn argument(&mut self, condition: bool, depth: usize) -> Result<Node, ParseError> {
        if matches!(self.peek(), Some(Token::Comma | Token::Close)) {
            return Ok(Node::Empty);
        }
        let left = self.operand(depth)?;
        let Some(Token::Operator(operator)) = self.peek().cloned() else { return Ok(left) };
        if !condition {
            return Ok(left);
        }
        self.at += 1;
        let right = self.operand(depth)?;
        Ok(Node::Comparison(Box::new(Comparison { left, operator, right })))
    }

    /// An attribute, a string, a number or a call.
    fn operand(&mut self, depth: usize) -> Result<Node, ParseError> {
        let start = self.place();
        let Some(token) = self.peek().cloned() else {
            return Err(self.error("the expression ends too early"));
        };
        self.at += 1;
        match token {
            Token::Attribute(name) => Ok(Node::Attribute(name)),
            Token::Text(text) => Ok(Node::Text(text)),
            Token::Number(digits) => Ok(Node::Number(digits)),
            Token::Name(name) => self.named(name, start, depth + 1),
            Token::Open | Token::Close | Token::Comma | Token::Operator(_) => {
                Err(ParseError::new(start, "an attribute, a string, a number or a call is missing here"))
            }
        }
    }
}

fn is_logical(word: &str) -> bool {
    word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or")
}

/// The only words that stand alone are the constants of `InStr`.
fn bare_word(name: &str, start: usize) -> Result<Node, ParseError> {
    if let Some(word) = functions::CONSTANTS.iter().find(|word| **word == name) {
        return Ok(Node::Word(word));
    }
    let text = format!(
        "`{name}` alone means nothing: a call is {name}(…), an attribute [{name}], a string \"{name}\""
    );
    Err(ParseError { position: start, text })
}

#[cfg(test)]
mod tests {
    use super::DEPTH_MAX;
    use super::EXPRESSION_CHARS_MAX;
    use crate::expr::Expression;
    use crate::expr::testing::check;

    /// States where and why a text is refused.
    #[track_caller]
    fn refused(text: &str, position: usize, reason: &str) {
        let error = Expression::parse(text).expect_err(text);
        assert_eq!((error.position, error.text.as_str()), (position, reason), "{text}");
    }

    #[test]
    fn white_space_and_line_breaks_between_tokens_mean_nothing() {
        check(" Join (\n\t\"-\" ,\r\n [a],[b] ) ", &[("a", "x"), ("b", "y")], "x-y");
        check("Join(\"-\", [ a ], \"[b], (c)\")", &[("a", "x")], "x-[b], (c)");
    }

    #[test]
    fn backslash_and_quote_are_escaped_and_nothing_else_is() {
        check(r#"Append("a\"b\\c", "d")"#, &[], r#"a"b\cd"#);
        refused(
            r#"Append("\d", "x")"#,
            8,
            r#"in a string a backslash is written twice (`\\`); only `\\` and `\"` are escapes"#,
        );
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        check(r#"Join(",", -5, 007, &H1f)"#, &[], "-5,7,31");
        refused("Left([a], 1.5)", 10, "numbers are whole numbers");
        refused("Left([a], &X1)", 10, "a hexadecimal number is written &H and then its digits, as in &HF7");
        refused("Left([a], 99999999999999999999)", 10, "this is not a whole number of up to 18 digits");
    }

    #[test]
    fn the_whole_is_one_call() {
        refused("", 0, "the expression is empty");
        refused(
            "[mail]",
            0,
            "an expression is one function call; to copy `mail`, write attribute = \"mail\"",
        );
        refused(
            "\"x\"",
            0,
            "an expression is one function call, such as Join(\" \", [givenName], [surname])",
        );
        refused("Not([a]) Not([b])", 9, "an expression is one function call; nothing may follow it");
        refused("Not([a]", 7, "a closing parenthesis is missing");
        refused("Not([a] [b])", 8, "a comma or a closing parenthesis is missing here");
        refused("Not([a)", 4, "this attribute has no closing bracket");
        refused("Not(\"a)", 4, "this string has no closing quote");
        refused("Not('a')", 4, "strings stand between straight double quotes (\")");
        refused("Not(#)", 4, "`#` has no meaning outside a string");
        refused(
            "Not(True)",
            4,
            "`True` alone means nothing: a call is True(…), an attribute [True], a string \"True\"",
        );
    }

    #[test]
    fn an_unknown_function_suggests_the_nearest() {
        refused(
            "ToLower(Swtich([a], , \"b\", \"c\"))",
            8,
            "there is no function `Swtich`; did you mean `Switch`?",
        );
        refused("Frobnicate([a])", 0, "there is no function `Frobnicate`");
    }

    #[test]
    fn a_function_that_stands_for_the_whole_stands_outermost() {
        let reason = "SelectUniqueValue stands for the whole expression; give it a row of its own";
        refused("ToLower(SelectUniqueValue([a], [b]))", 8, reason);
        refused("SelectUniqueValue([a])", 0, "SelectUniqueValue needs 2 arguments; argument 2 is missing");
    }

    #[test]
    fn the_case_of_a_function_is_a_hint() {
        let expression = Expression::parse("not(ISPRESENT([a]))").expect("parses");
        assert_eq!(expression.hints(), ["`not` is written `Not`", "`ISPRESENT` is written `IsPresent`"]);
    }

    #[test]
    fn arguments_are_counted() {
        refused("Not()", 0, "Not needs 1 argument; argument 1 is missing");
        refused("Left(, 3)", 0, "Left needs 2 arguments; argument 1 is missing");
        refused("Not([a], [b])", 9, "Not takes 1 argument at most");
        refused("Now([a])", 4, "Now takes no arguments");
    }

    #[test]
    fn comparisons_stand_in_conditions_only() {
        let reason = "a comparison stands only in the condition of IIF and in CBool, and has two sides";
        refused("Not([a]=[b])", 7, reason);
        refused("IIF([a]=[b], [c]=[d], [e])", 16, reason);
        refused("IIF([a]=[b]=[c], [d], [e])", 11, reason);
        refused(
            "IIF([a]=\"x\" AND [b]=\"y\", [c], [d])",
            12,
            "conditions cannot be joined by AND or OR; nest a second IIF in the part that it decides",
        );
        refused("IIF([a]=, [b], [c])", 8, "an attribute, a string, a number or a call is missing here");
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let nested = |depth: usize| format!("{}[a]{}", "Not(".repeat(depth), ")".repeat(depth));
        assert!(Expression::parse(&nested(DEPTH_MAX)).is_ok());
        refused(&nested(DEPTH_MAX + 1), 4 * DEPTH_MAX, "calls are nested deeper than 64");
        refused(
            &nested(4_000),
            EXPRESSION_CHARS_MAX,
            "the expression has 20003 characters; 10000 are allowed",
        );
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let text = "Join(\"é\",\n  [a], Lft([b], 2))";
        let error = Expression::parse(text).expect_err("Lft");
        assert_eq!(error.to_string(), "character 18: there is no function `Lft`; did you mean `Left`?");
        assert_eq!(error.caret(text), "  [a], Lft([b], 2))\n       ^");
    }
}
