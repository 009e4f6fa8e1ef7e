//! A sealed request shows what will be sent, and lets nobody change it.

use countersign_core::request::Sealed;

fn change(sealed: &mut Sealed) {
    sealed.plan.clear();
}

fn change_what_is_shown(sealed: &mut Sealed) {
    sealed.plan()[0].body = "another".into();
}

fn main() {}
