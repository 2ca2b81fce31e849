//! The profiles that are compiled in.

/// Id and text of each.
const BUILTIN: &[(&str, &str)] = &[
    ("ca_identity_manager", include_str!("../../profiles/ca-identity-manager.toml")),
    ("citrix_provisioning", include_str!("../../profiles/citrix-provisioning.toml")),
    ("igel_ums_ha", include_str!("../../profiles/igel-ums-ha.toml")),
    ("imprivata_g4", include_str!("../../profiles/imprivata-g4.toml")),
    ("jp1_it_desktop_management", include_str!("../../profiles/jp1-it-desktop-management.toml")),
];

/// Every built-in profile: its id and its text.
pub fn all() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// The text of the built-in profile `name`: its id, or its file's name without the ending.
pub fn find(name: &str) -> Option<&'static str> {
    let id = name.replace('-', "_");
    BUILTIN.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::parse;

    #[test]
    fn every_built_in_profile_is_without_mistakes_and_found_by_its_names() {
        for (id, text) in all() {
            let profile = parse(id, text).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert_eq!(profile.id, *id);
            assert_eq!(find(id), Some(*text));
            assert_eq!(find(&id.replace('_', "-")), Some(*text));
        }
        assert_eq!(find("no-such"), None);
    }
}
