//! Whether servers of two inventories are one machine.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Inventory, Reach, Server};

/// By what a machine is known again in another inventory, under whatever name of the farm.
///
/// # Limits
/// Names are not looked up: one machine that is called and reached in two wholly different ways is taken for two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub name: String,
    /// Its address with a port that is not the usual one; the name where the inventory says no more; of a stand-in its
    /// folder.
    pub at: String,
}

impl Host {
    pub fn is_same(&self, other: &Self) -> bool {
        let bare = self.at == self.name || other.at == other.name;
        self.at == other.at || bare && self.name == other.name
    }
}

impl Server {
    pub fn host(&self) -> Host {
        let name = self.name.as_str().to_lowercase();
        let at = match &self.reach {
            Reach::Local { root: None } => "this machine".to_owned(),
            _ if self.root().is_some() => format!("folder {}", self.root().unwrap_or_default()),
            Reach::Ssh(ssh) if ssh.port.is_some_and(|port| port != 22) => {
                format!("{} port {}", plain(&self.address), ssh.port.unwrap_or_default())
            }
            Reach::Ssh(_) | Reach::Local { .. } | Reach::None => plain(&self.address),
        };
        Host { name, at }
    }
}

impl Inventory {
    pub fn hosts(&self) -> Vec<Host> {
        self.servers.iter().map(Server::host).collect()
    }
}

/// The first of `hosts` that is one of `others` as well.
pub fn first_shared<'a>(hosts: &'a [Host], others: &[Host]) -> Option<&'a Host> {
    hosts.iter().find(|host| others.iter().any(|other| host.is_same(other)))
}

/// The one way to write an address.
fn plain(address: &str) -> String {
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    bare.parse::<IpAddr>().map_or_else(|_| address.to_lowercase(), |ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn host(server: &str) -> Host {
        let text = format!("nofm = 1\nfarm = \"f\"\n[[servers]]\nroles = [\"node\"]\n{server}\n");
        let inventory = Inventory::parse("inventory", &text, Path::new("/base"));
        inventory.unwrap_or_else(|wrong| panic!("{wrong}")).servers[0].host()
    }

    #[test]
    fn a_machine_is_known_again_by_its_address_or_where_there_is_none_by_its_name() {
        let usual = host("name = \"Node-1\"\naddress = \"10.0.0.1\"");
        for same in [
            "name = \"other\"\naddress = \"10.0.0.1\"\nport = 22",
            "name = \"appliance\"\naddress = \"10.0.0.1\"\ntransport = \"none\"",
            "name = \"NODE-1\"",
        ] {
            assert!(usual.is_same(&host(same)), "{same}");
            assert!(host(same).is_same(&usual), "{same}");
        }
        for other in [
            "name = \"node-1\"\naddress = \"10.0.0.2\"",
            "name = \"node-1\"\naddress = \"10.0.0.1\"\nport = 2222",
            "name = \"node-1\"\ntransport = \"local\"\nroot = \"node-1\"",
            "name = \"node-2\"",
        ] {
            assert!(!usual.is_same(&host(other)), "{other}");
        }
        let stand_in = host("name = \"a\"\ntransport = \"local\"\nroot = \"x\"");
        assert!(stand_in.is_same(&host("name = \"b\"\ntransport = \"local\"\nroot = \"x\"")));
        assert!(!stand_in.is_same(&host("name = \"a\"\ntransport = \"local\"\nroot = \"y\"")));
        assert!(
            host("name = \"a\"\naddress = \"[FE80::1]\"")
                .is_same(&host("name = \"b\"\naddress = \"fe80:0::1\""))
        );
    }
}
