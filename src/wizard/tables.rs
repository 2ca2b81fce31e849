//! What pages list over all servers and steps, made once for as long as nothing changes it.

use std::cell::RefCell;
use std::sync::Arc;

use super::pages::{CheckTable, InputLine, Places, PlanTable, Registered, Versions};
use crate::engine::Lack;
use crate::model::{NoticeId, Value};
use crate::plan::AnswerBook;

/// Something that follows from a key, kept until the key is another.
#[derive(Debug)]
pub(super) struct Memo<K, T> {
    kept: RefCell<Option<(K, Arc<T>)>>,
}

impl<K: PartialEq, T> Memo<K, T> {
    /// What follows from `key`.
    pub(super) fn get(&self, key: &K, make: impl FnOnce() -> T) -> Arc<T>
    where
        K: Clone,
    {
        if let Some((known, kept)) = &*self.kept.borrow()
            && known == key
        {
            return kept.clone();
        }
        let made = Arc::new(make());
        *self.kept.borrow_mut() = Some((key.clone(), made.clone()));
        made
    }
}

impl<K, T> Default for Memo<K, T> {
    fn default() -> Self {
        Self { kept: RefCell::new(None) }
    }
}

impl<K: Clone, T> Clone for Memo<K, T> {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone() }
    }
}

/// The lists of the pages before the start. A number as key: the event that last changed anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// The notices that apply here.
    pub(super) notices: Memo<u64, Vec<NoticeId>>,
    pub(super) versions: Memo<u64, Versions>,
    pub(super) registered: Memo<Vec<Option<Value>>, Registered>,
    pub(super) inputs: Memo<u64, Vec<InputLine>>,
    /// Where each check of the start is carried out.
    pub(super) places: Memo<AnswerBook, Places>,
    pub(super) checks: Memo<u64, CheckTable>,
    pub(super) plan: Memo<AnswerBook, PlanTable>,
    pub(super) lacks: Memo<u64, Vec<(Lack, String)>>,
}
