//! Words by one of their bytes, so that few of them have to be compared.

/// Lists of words, each in the order in which they were given.
#[derive(Debug)]
pub(super) struct ByByte<T>(Box<[Vec<T>]>);

impl<T: Copy> ByByte<T> {
    /// Words by the byte that this says of each.
    pub(super) fn new(words: impl IntoIterator<Item = T>, byte: impl Fn(T) -> Option<u8>) -> Self {
        let mut lists: Vec<Vec<T>> = (0..=usize::from(u8::MAX)).map(|_| Vec::new()).collect();
        for word in words {
            if let Some(list) = byte(word).and_then(|byte| lists.get_mut(usize::from(byte))) {
                list.push(word);
            }
        }
        Self(lists.into())
    }

    /// Those of a byte; none without one.
    pub(super) fn of(&self, byte: Option<u8>) -> &[T] {
        byte.and_then(|byte| self.0.get(usize::from(byte)))
            .map_or(&[], Vec::as_slice)
    }
}
