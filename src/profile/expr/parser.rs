//! From the text of an expression to its program, with the kind of every part.

use std::ops::Range;

use super::eval::{Arithmetic, Compare, Node, Program};
use super::functions::FUNCTIONS;
use super::kind::Kind;
use super::lexer::{Token, tokens};
use super::names::{Names, Problem};
use crate::model::Value;
use crate::text::diagnostic::{meant, quoted};
use crate::text::toml::listed;

/// What an expression may be made of. Deeper ones would overflow the stack, longer ones nobody reads.
const MOST_PARTS: usize = 256;

/// An expression as far as it was read.
struct Read {
    node: Node,
    kind: Kind,
    span: Range<usize>,
}

struct Parser<'s, 'n> {
    tokens: Vec<(Token<'s>, Range<usize>)>,
    at: usize,
    names: &'n dyn Names,
    program: Program,
    problems: Vec<Problem>,
    parts: usize,
}

const COMPARES: [(&str, Compare); 6] = [
    ("==", Compare::Equal),
    ("!=", Compare::NotEqual),
    ("<", Compare::Less),
    ("<=", Compare::LessOrEqual),
    (">", Compare::Greater),
    (">=", Compare::GreaterOrEqual),
];

const SUMS: [(&str, Arithmetic); 2] = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];

const PRODUCTS: [(&str, Arithmetic); 4] = [
    ("*", Arithmetic::Multiply),
    ("/", Arithmetic::Divide),
    ("//", Arithmetic::DivideWhole),
    ("%", Arithmetic::Remainder),
];

/// Reads `source`; the program and the kind of its value.
pub(super) fn parse(source: &str, names: &dyn Names) -> Result<(Program, Kind), Vec<Problem>> {
    let tokens = tokens(source).map_err(|problem| vec![problem])?;
    let program = Program::new(names.pattern().clone());
    let mut parser = Parser { tokens, at: 0, names, program, problems: Vec::new(), parts: 0 };
    match parser.all() {
        Ok(read) if parser.problems.is_empty() => {
            parser.program.root = read.node;
            Ok((parser.program, read.kind))
        }
        Ok(_) => Err(parser.problems),
        Err(problem) => {
            parser.problems.push(problem);
            Err(parser.problems)
        }
    }
}

type Outcome = Result<Read, Problem>;

impl<'s> Parser<'s, '_> {
    fn all(&mut self) -> Outcome {
        let read = self.conditional()?;
        match self.peek() {
            Token::End => Ok(read),
            token => Err(self.unexpected(&token.clone())),
        }
    }

    fn peek(&self) -> &Token<'s> {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at.min(self.tokens.len() - 1)].1.clone()
    }

    fn next(&mut self) -> (Token<'s>, Range<usize>) {
        let token = self.tokens[self.at.min(self.tokens.len() - 1)].clone();
        self.at += 1;
        token
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let there = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(there);
        there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Token::Word(found) if *found == word);
        self.at += usize::from(there);
        there
    }

    fn need_symbol(&mut self, symbol: &str) -> Result<(), Problem> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        let token = self.peek().clone();
        Err(match token {
            Token::End => Problem::new(self.span(), format!("`{symbol}` is missing at the end")),
            token => self.unexpected(&token),
        })
    }

    /// Why the next token cannot stand where it does.
    fn unexpected(&self, token: &Token<'_>) -> Problem {
        let at = |message: &str| Problem::new(self.span(), message);
        match token {
            Token::End => at("the expression ends too early"),
            Token::Symbol("|") => at("filters are not part of the language")
                .help("functions are: min max sum count all any all_equal join without version"),
            Token::Word("is") => at("`is` tests are not part of the language")
                .help("a name that is unknown makes the whole unknown"),
            Token::Symbol("[") => at("neither `[…]` after a value nor slices are part of the language")
                .help("name a part with a dot; ask a list with count, any, all"),
            Token::Symbol("(") => at("only functions can be called, and they stand alone")
                .help("functions are: min max sum count all any all_equal join without version"),
            Token::Symbol("=") => at("`=` means nothing here").help("`==` compares"),
            Token::Symbol("&&") => at("`&&` means nothing here").help("write `and`"),
            Token::Symbol("||") => at("`||` means nothing here").help("write `or`"),
            Token::Symbol("{") => at("tables are not part of the language"),
            Token::Symbol("**") => at("powers are not part of the language"),
            Token::Symbol("==" | "!=" | "<" | "<=" | ">" | ">=") => {
                at("comparisons cannot be chained").help("write `a < b and b < c`")
            }
            Token::Word("none" | "None") => at("there is no `none`")
                .help("what is not known makes the whole unknown; an empty list is `[]`"),
            Token::Symbol(symbol) => at(&format!("`{symbol}` cannot stand here")),
            Token::Word(word) => at(&format!("`{word}` cannot stand here")),
            Token::Text(_) => at("this text cannot stand here"),
            Token::Number(_) => at("this number cannot stand here"),
        }
    }

    /// Counts a part, so that neither depth nor length has no end.
    fn part(&mut self) -> Result<(), Problem> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            let problem = Problem::new(self.span(), "this expression has too many parts");
            return Err(problem.help("make facts with `value` of some of them"));
        }
        Ok(())
    }

    /// Reports a mistake that does not keep the rest from being read.
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn want(&mut self, read: &Read, wanted: &Kind, why: &str) {
        if !read.kind.fits(wanted) {
            self.report(Problem::new(
                read.span.clone(),
                format!("{why} {wanted}, and this is {}", read.kind),
            ));
        }
    }

    fn conditional(&mut self) -> Outcome {
        let yes = self.or()?;
        if !self.take_word("if") {
            return Ok(yes);
        }
        let condition = self.or()?;
        self.want(&condition, &Kind::YesNo, "`if` wants");
        if !self.take_word("else") {
            let token = self.peek().clone();
            let problem = if token == Token::End {
                Problem::new(self.span(), "`else` is missing")
            } else {
                self.unexpected(&token)
            };
            return Err(problem.help("write `x if c else y`"));
        }
        self.part()?;
        let no = self.conditional()?;
        if !yes.kind.fits(&no.kind) {
            let message = format!("this is {}, and what stands before `if` is {}", no.kind, yes.kind);
            self.report(Problem::new(no.span.clone(), message));
        }
        let span = yes.span.start..no.span.end;
        let kind = if yes.kind == Kind::Any { no.kind } else { yes.kind };
        Ok(Read { node: Node::If(Box::new([condition.node, yes.node, no.node])), kind, span })
    }

    fn or(&mut self) -> Outcome {
        self.logic("or", Self::and, Node::Or)
    }

    fn and(&mut self) -> Outcome {
        self.logic("and", Self::not, Node::And)
    }

    fn logic(
        &mut self,
        word: &str,
        side: fn(&mut Self) -> Outcome,
        node: fn(Box<[Node; 2]>) -> Node,
    ) -> Outcome {
        let mut left = side(self)?;
        while self.take_word(word) {
            self.part()?;
            let right = side(self)?;
            for side in [&left, &right] {
                self.want(side, &Kind::YesNo, &format!("`{word}` wants"));
            }
            let span = left.span.start..right.span.end;
            left = Read { node: node(Box::new([left.node, right.node])), kind: Kind::YesNo, span };
        }
        Ok(left)
    }

    fn not(&mut self) -> Outcome {
        let start = self.span().start;
        if !self.take_word("not") {
            return self.comparison();
        }
        self.part()?;
        let read = self.not()?;
        self.want(&read, &Kind::YesNo, "`not` wants");
        Ok(Read { span: start..read.span.end, node: Node::Not(Box::new(read.node)), kind: Kind::YesNo })
    }

    fn comparison(&mut self) -> Outcome {
        let left = self.sum()?;
        if let Token::Symbol(symbol) = *self.peek()
            && let Some((_, how)) = COMPARES.iter().find(|(text, _)| *text == symbol)
        {
            self.at += 1;
            self.part()?;
            let right = self.sum()?;
            self.check_comparison(symbol, *how, &left, &right);
            let span = left.span.start..right.span.end;
            let node = Node::Compare(*how, Box::new([left.node, right.node]));
            return Ok(Read { node, kind: Kind::YesNo, span });
        }
        let negative = self.take_word("not");
        if self.take_word("in") {
            self.part()?;
            let right = self.sum()?;
            self.check_in(&left, &right);
            let span = left.span.start..right.span.end;
            let node = Node::In(Box::new([left.node, right.node]));
            let node = if negative { Node::Not(Box::new(node)) } else { node };
            return Ok(Read { node, kind: Kind::YesNo, span });
        }
        if negative { Err(self.unexpected(&self.peek().clone())) } else { Ok(left) }
    }

    fn check_comparison(&mut self, symbol: &str, how: Compare, left: &Read, right: &Read) {
        let span = left.span.start..right.span.end;
        let ordered = matches!(how, Compare::Equal | Compare::NotEqual);
        let has_order = |kind: &Kind| matches!(kind, Kind::Number | Kind::Version | Kind::Any);
        if !left.kind.compares(&right.kind) {
            let message = format!("{} and {} are never equal", left.kind, right.kind);
            let help = match (&left.kind, &right.kind) {
                (Kind::Version, Kind::Number) | (Kind::Number, Kind::Version) => {
                    "a version is written version('12.8.130')"
                }
                (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => {
                    "a text stands in quotes, a number without"
                }
                _ => "",
            };
            let problem = Problem::new(span, message);
            self.report(if help.is_empty() { problem } else { problem.help(help) });
        } else if !ordered && !has_order(&left.kind) && !has_order(&right.kind) {
            let problem =
                Problem::new(span, format!("`{symbol}` compares numbers and versions, not {}", left.kind));
            self.report(problem.help("a text that writes a version is read by version(…)"));
        } else {
            for (version, text) in [(left, right), (right, left)] {
                self.check_version_text(version, text);
            }
        }
    }

    /// A version is compared with a text that can be read as one.
    fn check_version_text(&mut self, version: &Read, text: &Read) {
        if let (Kind::Version, Node::Value(Value::Text(literal))) = (&version.kind, &text.node)
            && self.names.pattern().read(literal).is_none()
        {
            let pattern = quoted(self.names.pattern().as_str());
            let problem = Problem::new(text.span.clone(), "this is no version of this product");
            self.report(problem.help(format!("a version matches {pattern}")));
        }
    }

    fn check_in(&mut self, left: &Read, right: &Read) {
        let fits = match &right.kind {
            Kind::List(of) => left.kind.compares(of),
            Kind::Text => left.kind.fits(&Kind::Text),
            Kind::Any => true,
            _ => false,
        };
        if !fits {
            let message = format!("{} is never in {}", left.kind, right.kind);
            self.report(Problem::new(left.span.start..right.span.end, message));
        }
    }

    fn sum(&mut self) -> Outcome {
        self.arithmetic(&SUMS, Self::concat)
    }

    fn product(&mut self) -> Outcome {
        self.arithmetic(&PRODUCTS, Self::negative)
    }

    fn arithmetic(&mut self, known: &[(&str, Arithmetic)], side: fn(&mut Self) -> Outcome) -> Outcome {
        let mut left = side(self)?;
        while let Token::Symbol(symbol) = *self.peek()
            && let Some((_, how)) = known.iter().find(|(text, _)| *text == symbol)
        {
            self.at += 1;
            self.part()?;
            let right = side(self)?;
            for side in [&left, &right] {
                self.want(side, &Kind::Number, &format!("`{symbol}` wants"));
            }
            let span = left.span.start..right.span.end;
            let node = Node::Arithmetic(*how, Box::new([left.node, right.node]));
            left = Read { node, kind: Kind::Number, span };
        }
        Ok(left)
    }

    fn concat(&mut self) -> Outcome {
        let first = self.product()?;
        let (start, mut end) = (first.span.start, first.span.end);
        let mut reads = vec![first];
        while self.take_symbol("~") {
            self.part()?;
            let next = self.product()?;
            end = next.span.end;
            reads.push(next);
        }
        match reads.pop() {
            Some(only) if reads.is_empty() => Ok(only),
            last => {
                let parts = reads.into_iter().chain(last).map(|read| read.node).collect();
                Ok(Read { node: Node::Concat(parts), kind: Kind::Text, span: start..end })
            }
        }
    }

    fn negative(&mut self) -> Outcome {
        let start = self.span().start;
        if !self.take_symbol("-") {
            return self.primary();
        }
        self.part()?;
        let read = self.negative()?;
        self.want(&read, &Kind::Number, "`-` wants");
        Ok(Read { span: start..read.span.end, node: Node::Negative(Box::new(read.node)), kind: Kind::Number })
    }

    fn primary(&mut self) -> Outcome {
        self.part()?;
        let (token, span) = self.next();
        let read = match token {
            Token::Text(text) => Read { node: Node::Value(Value::Text(text)), kind: Kind::Text, span },
            Token::Number(number) => {
                Read { node: Node::Value(Value::Number(number)), kind: Kind::Number, span }
            }
            Token::Word(word @ ("true" | "True" | "false" | "False")) => {
                let yes = word.eq_ignore_ascii_case("true");
                Read { node: Node::Value(Value::YesNo(yes)), kind: Kind::YesNo, span }
            }
            Token::Word(word)
                if !matches!(word, "and" | "or" | "not" | "in" | "if" | "else" | "is" | "none" | "None") =>
            {
                if self.take_symbol("(") {
                    self.call(word, span)?
                } else {
                    self.name(word, span)?
                }
            }
            Token::Symbol("(") => {
                let inner = self.conditional()?;
                self.need_symbol(")")?;
                Read { span: span.start..self.end(), ..inner }
            }
            Token::Symbol("[") => self.list(span.start)?,
            token => {
                self.at -= 1;
                return Err(self.unexpected(&token));
            }
        };
        self.postfix(read)
    }

    /// Where the last token read ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |(_, span)| span.end)
    }

    /// What may stand right behind a value: `.major` of a version.
    fn postfix(&mut self, read: Read) -> Outcome {
        match *self.peek() {
            Token::Symbol(symbol @ ("[" | "(" | "|")) => Err(self.unexpected(&Token::Symbol(symbol))),
            Token::Symbol(".") => {
                self.at += 1;
                let (token, span) = self.next();
                match (token, &read.kind) {
                    (Token::Word(part), Kind::Version) => version_part(read, part, span),
                    _ => Err(Problem::new(read.span.start..span.end, "only names and versions have parts")),
                }
            }
            _ => Ok(read),
        }
    }

    fn name(&mut self, first: &'s str, span: Range<usize>) -> Outcome {
        let mut path = vec![(first, span)];
        while self.take_symbol(".") {
            match self.next() {
                (Token::Word(part), span) => path.push((part, span)),
                (_, span) => return Err(Problem::new(span, "a name is missing after the dot")),
            }
        }
        if matches!(self.peek(), Token::Symbol("(")) {
            return Err(self.unexpected(&Token::Symbol("(")));
        }
        let start = path[0].1.start;
        let end = path[path.len() - 1].1.end;
        let words: Vec<_> = path.iter().map(|(word, _)| *word).collect();
        match self.names.resolve(&words) {
            Ok(found) => {
                let index = self.program.index(found.name, found.kind.clone());
                let parts = found.parts.clamp(1, path.len());
                let span = start..path[parts - 1].1.end;
                let read = Read { node: Node::Name(index), kind: found.kind, span };
                match &path[parts..] {
                    [] => Ok(read),
                    [(part, span)] if matches!(read.kind, Kind::Version) => {
                        version_part(read, part, span.clone())
                    }
                    [(part, span), ..] => Err(Problem::new(
                        span.clone(),
                        format!(
                            "{} is {}, which has no {}",
                            quoted(&words[..parts].join(".")),
                            read.kind,
                            quoted(part)
                        ),
                    )),
                }
            }
            Err(complaint) => {
                let part = complaint.part.min(path.len() - 1);
                let span = if part == 0 { start..end } else { path[part].1.clone() };
                self.report(Problem {
                    span,
                    message: complaint.message,
                    help: complaint.help,
                    absence: true,
                });
                Ok(Read { node: Node::default(), kind: Kind::Any, span: start..end })
            }
        }
    }

    fn list(&mut self, start: usize) -> Outcome {
        let items = self.arguments("]")?;
        let mut kind = Kind::Any;
        for item in &items {
            if !item.kind.fits(&kind) {
                let message = format!("this is {}, and what stands before it is {kind}", item.kind);
                self.report(Problem::new(item.span.clone(), message));
            } else if kind == Kind::Any {
                kind = item.kind.clone();
            }
        }
        let nodes = items.into_iter().map(|item| item.node).collect();
        Ok(Read { node: Node::List(nodes), kind: Kind::list(kind), span: start..self.end() })
    }

    fn call(&mut self, word: &str, span: Range<usize>) -> Outcome {
        let arguments = self.arguments(")")?;
        let Some((_, function, form)) = FUNCTIONS.iter().find(|(name, ..)| *name == word) else {
            let names = FUNCTIONS.iter().map(|(name, ..)| *name);
            let help = match meant(word, names.clone()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("functions are {}", listed(names)),
            };
            return Err(Problem::new(span, format!("there is no function {}", quoted(word))).help(help));
        };
        let kinds: Vec<_> = arguments.iter().map(|argument| argument.kind.clone()).collect();
        let span = span.start..self.end();
        let kind = function.kind(&kinds).unwrap_or_else(|why| {
            self.report(
                Problem::new(span.clone(), format!("`{word}` is used wrongly: {why}"))
                    .help(format!("write {form}")),
            );
            Kind::Any
        });
        if let [Read { node: Node::Value(Value::Text(_)), .. }] = &arguments[..] {
            let text = &arguments[0];
            self.check_version_text(
                &Read { node: Node::default(), kind: kind.clone(), span: span.clone() },
                text,
            );
        }
        let nodes = arguments.into_iter().map(|argument| argument.node).collect();
        Ok(Read { node: Node::Call(*function, nodes), kind, span })
    }

    /// Values up to the closing bracket, which is taken.
    fn arguments(&mut self, close: &str) -> Result<Vec<Read>, Problem> {
        let mut arguments = Vec::new();
        while !self.take_symbol(close) {
            if !arguments.is_empty() {
                self.need_symbol(",")?;
                if self.take_symbol(close) {
                    break;
                }
            }
            arguments.push(self.conditional()?);
        }
        Ok(arguments)
    }
}

/// `.major`, `.minor` or `.patch` of a version.
fn version_part(read: Read, part: &str, span: Range<usize>) -> Outcome {
    let Some(index) = ["major", "minor", "patch"].iter().position(|known| *known == part) else {
        let problem = Problem::new(span, format!("a version has no {}", quoted(part)));
        return Err(problem.help("it has `major`, `minor` and `patch`"));
    };
    let node = Node::Part(Box::new(read.node), index);
    Ok(Read { node, kind: Kind::Number, span: read.span.start..span.end })
}
