//! Why the wizard ends before the operator leaves it.

use crate::client::ClientError;

#[derive(Debug, thiserror::Error)]
pub enum WizardError {
    #[error(transparent)]
    Client(#[from] ClientError),

    #[error("this is a review: there is no session to go on with")]
    Reviewed,

    #[error(transparent)]
    Terminal(#[from] super::tty::TtyError),
}
