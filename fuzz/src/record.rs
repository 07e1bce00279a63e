use carafe::store::Record;

/// Reads a store's bytes: they are a record, which can be written and read again, or an error.
pub fn record(data: &[u8]) {
    if let Ok(record) = Record::from_bytes(data) {
        let again = Record::from_bytes(&record.to_bytes()).expect("it was written here");
        assert!(again == record, "{record:?}");
        assert!(record.data.len() <= data.len());
    }
}
