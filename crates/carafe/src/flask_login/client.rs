//! The client of a request, as Flask-Login identifies it.

use std::net::IpAddr;

use carafe_format::flask_login::{Address, Fingerprint};

use super::settings::{ClientAddress, Logins, Release};
use crate::event;

/// A request's description of its client, unparsed until a login is looked at.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// The lines of `User-Agent`, joined by commas as in WSGI.
    agent: Option<Vec<u8>>,
    /// The lines of `X-Forwarded-For`, joined by commas.
    forwarded: Option<Vec<u8>>,
    /// The address of the connection.
    peer: Option<IpAddr>,
}

impl Client {
    pub(crate) fn new<'a>(
        agent: impl Iterator<Item = &'a [u8]>,
        forwarded: impl Iterator<Item = &'a [u8]>,
        peer: Option<IpAddr>,
    ) -> Self {
        Self { agent: joined(agent), forwarded: joined(forwarded), peer }
    }

    /// Returns the client's address; the setting says which header is trusted.
    fn address(&self, from: ClientAddress) -> Option<Address<'_>> {
        let forwarded = self.forwarded.as_deref();
        let header = match from {
            ClientAddress::Peer => None,
            ClientAddress::FirstForwarded => {
                forwarded.and_then(|text| text.split(|&byte| byte == b',').next())
            }
            ClientAddress::Forwarded { proxies } => forwarded.and_then(|text| {
                let listed = text.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
                let listed: Vec<_> = listed.filter(|part| !part.is_empty()).collect();
                listed.len().checked_sub(proxies.max(1)).map(|at| listed[at])
            }),
        };
        let header = header.map(|text| Address::Header(text.trim_ascii()));
        header.or(self.peer.map(Address::Peer))
    }
}

fn joined<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut text = lines.next()?.to_vec();
    for line in lines {
        text.push(b',');
        text.extend_from_slice(line);
    }
    Some(text)
}

impl Logins {
    /// Returns the fingerprint that a session of this client holds under `_id`.
    pub(super) fn fingerprint(&self, client: Option<&Client>) -> String {
        let unknown = Client::default();
        let client = client.unwrap_or(&unknown);
        let address = client.address(self.settings.address);
        if address.is_none() && !self.settings.protection.is_none() {
            event::no_client_address(&self.warned_of_address);
        }
        let fingerprint = Fingerprint { address, agent: client.agent.as_deref() };
        match self.settings.release {
            Release::V0_6 => fingerprint.release_0_6(),
            Release::V0_7 => fingerprint.release_0_7(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(lines: &[&str], from: ClientAddress) -> String {
        let lines = lines.iter().map(|line| line.as_bytes());
        let client = Client::new(std::iter::empty(), lines, Some(IpAddr::from([127, 0, 0, 1])));
        match client.address(from) {
            Some(Address::Peer(address)) => address.to_string(),
            Some(Address::Header(text)) => String::from_utf8(text.to_vec()).unwrap(),
            None => String::new(),
        }
    }

    #[test]
    fn headers_are_believed_only_if_told() {
        let lines = ["203.0.113.7 , 10.0.0.1", "10.0.0.2"];
        let proxies = |proxies| ClientAddress::Forwarded { proxies };
        assert_eq!(address(&lines, ClientAddress::Peer), "127.0.0.1");
        assert_eq!(address(&lines, ClientAddress::FirstForwarded), "203.0.113.7");
        assert_eq!(address(&lines, proxies(1)), "10.0.0.2");
        assert_eq!(address(&lines, proxies(2)), "10.0.0.1");
        assert_eq!(address(&lines, proxies(3)), "203.0.113.7");
        assert_eq!(address(&lines, proxies(4)), "127.0.0.1", "fewer proxies than there should be");
        assert_eq!(address(&[], ClientAddress::FirstForwarded), "127.0.0.1");
        assert_eq!(address(&[""], ClientAddress::FirstForwarded), "", "as Flask-Login has it");
    }
}
