//! Which masks apply to whom: the `masking` of the documents about a subject, together.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::index::DocumentIds;
use super::set::Document;
use crate::mask::{MaskPolicy, SettingsError};

/// Combinations of documents that are remembered. There is one for each set of groups that somebody is in, so a few.
const MAX_REMEMBERED: usize = 1024;

/// What the documents say about masks, compiled once for each combination of them that is about somebody.
#[derive(Debug, Default)]
pub(super) struct Masks {
    /// Documents that say something; those in shadow are not enforced.
    speaking: Vec<u32>,
    known: RwLock<HashMap<DocumentIds, Arc<MaskPolicy>>>,
}

impl Masks {
    pub(super) fn new(documents: &[Document]) -> Self {
        let speaks = |document: &Document| document.masking.is_some() && !document.shadow;
        let numbered = (0_u32..).zip(documents);
        let speaking: Vec<u32> = numbered
            .filter_map(|(id, document)| speaks(document).then_some(id))
            .collect();
        let masks = Self {
            speaking,
            known: RwLock::default(),
        };
        // What most subjects need, and all together: at load, not when the first request comes.
        let alone = masks.speaking.iter().map(|id| [*id].into_iter().collect());
        for ids in alone.chain([masks.speaking.iter().copied().collect()]) {
            // What does not compile here is refused where it is asked for.
            let _ = masks.together(documents, ids);
        }
        masks
    }

    /// What applies to the subject that these documents are about.
    ///
    /// # Errors
    /// Each rule was compiled when its document was read; only together they may not be.
    #[inline]
    pub(super) fn of(
        &self,
        documents: &[Document],
        about: impl FnOnce() -> DocumentIds,
    ) -> Result<Arc<MaskPolicy>, SettingsError> {
        // Most policies say nothing.
        if self.speaking.is_empty() {
            return Ok(MaskPolicy::shared_default());
        }
        let mut ids = about();
        ids.retain(|id| self.speaking.contains(id));
        ids.sort_unstable();
        self.together(documents, ids)
    }

    fn together(&self, documents: &[Document], ids: DocumentIds) -> Result<Arc<MaskPolicy>, SettingsError> {
        if ids.is_empty() {
            return Ok(MaskPolicy::shared_default());
        }
        // Nothing panics while it holds the lock, and what is in it is whole.
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&ids) {
            return Ok(Arc::clone(known));
        }
        let said = ids.iter().filter_map(|id| {
            let document = documents.get(usize::try_from(*id).ok()?)?;
            document.masking.as_ref()
        });
        let settings = said.cloned().reduce(|all, one| all.and(&one)).unwrap_or_default();
        let policy = Arc::new(MaskPolicy::new(settings)?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_REMEMBERED {
            known.insert(ids, Arc::clone(&policy));
        }
        Ok(policy)
    }
}
