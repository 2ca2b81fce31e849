//! What the language can say and the engine cannot carry out yet. A profile that says it is refused where it
//! does, instead of failing half-way through an upgrade.

use std::ops::Range;

use crate::profile::expr::Name;
use crate::text::diagnostic::Diagnostic;

fn not_yet(span: Range<usize>, what: &str, instead: &str) -> Diagnostic {
    Diagnostic::new(span, format!("{what} cannot be carried out yet")).help(instead)
}

pub(super) fn secret(span: Range<usize>) -> Diagnostic {
    not_yet(
        span,
        "an input of kind `secret`",
        "use an `attended` step, in which the operator types it, or a credential file on the server",
    )
}

pub(super) fn order_of_facts(span: Range<usize>, name: &Name) -> Diagnostic {
    let what = format!("an order that depends on `{name}`, which is found while the session runs,");
    not_yet(span, &what, "name what is known before the start: `here.name`, `here.roles`, inputs")
}

pub(super) fn notice_file(span: Range<usize>) -> Diagnostic {
    not_yet(span, "a notice in a file of its own", "put its text into `text`, between ''' and '''")
}
