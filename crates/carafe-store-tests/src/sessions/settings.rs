use crate::Fixture;
use crate::settings::{Backend, check};

/// Each setting of a layer has the same effect on this store as on any other.
pub async fn every_setting_has_its_effect(place: impl Fixture) {
    check(&Backend::stored(place.open().await)).await;
}
