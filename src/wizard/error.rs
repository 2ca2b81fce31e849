//! Why the wizard ends before the operator leaves it.

use crate::client::ClientError;

#[derive(Debug, thiserror::Error)]
pub enum WizardError {
    #[error(transparent)]
    Client(#[from] ClientError),

    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
}
