//! A lab as a folder: what is in it, and that it goes away without a trace.

use nofm::lab::LabError;

use super::*;

#[test]
fn inventory_and_answers_are_toml_and_name_what_is_there() {
    let farm = Farm::new(&[]);
    let read = |path: &Path| fs::read_to_string(path).unwrap().parse::<toml::Table>().unwrap();
    let inventory = read(&farm.lab.inventory_path);
    let servers = inventory["servers"].as_array().unwrap();
    let names: Vec<_> = servers.iter().map(|server| server["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "lb-2", "console-1", "db-1"]);
    for server in servers {
        assert!(farm.lab.dir.join(server["root"].as_str().unwrap()).join("bin/date").exists());
        assert!(server["address"].as_str().unwrap().starts_with("127."));
    }
    let answers = read(&farm.lab.answers_path);
    let installer = answers["inputs"]["installer"]["linux"].as_str().unwrap();
    assert_eq!(Path::new(installer), super::installer(&farm.lab));
    assert!(super::installer(&farm.lab).exists() && older_installer(&farm.lab).exists());
}

#[test]
fn removing_a_lab_leaves_no_process_and_no_file() {
    let farm = Farm::new(&["install-never-ends", "balancer-not-stopping:always"]);
    let installer = format!("exec setsid {} {SILENT} >/dev/null 2>&1", farm.installer());
    let mut children = vec![farm.command("ums-2", &installer).spawn().unwrap()];
    eventually("the installer hangs", || farm.events().contains("ums-2 install hangs"));
    // What a supervisor of a run does: it ignores every polite signal.
    let stubborn = "trap '' TERM HUP INT; while :; do sleep 1; done";
    children.push(farm.command("ums-1", stubborn).spawn().unwrap());
    assert!(farm.processes().len() >= 4 * 5, "{:?}", farm.processes());
    let ended = lab::remove(&farm.lab.dir).unwrap();
    assert!(ended >= 20, "{ended}");
    assert_eq!(farm.processes(), Vec::<String>::new());
    assert!(!farm.lab.dir.exists());
    assert!(children.iter_mut().all(|child| !child.wait().unwrap().success()));
}

#[test]
fn removing_one_lab_leaves_another_alone() {
    let (one, two) = (Farm::new(&[]), Farm::new(&[]));
    let name = |farm: &Farm| {
        let text = fs::read_to_string(&farm.lab.inventory_path).unwrap();
        text.parse::<toml::Table>().unwrap()["farm"].as_str().unwrap().to_owned()
    };
    assert!(name(&one).starts_with("lab-"), "{}", name(&one));
    assert_ne!(name(&one), name(&two), "what is forbidden on one is nothing to the other");
    lab::remove(&one.lab.dir).unwrap();
    assert_eq!(two.version("ums-1"), "12.04.100");
    assert_eq!(two.ask("lb-1", "systemctl is-active igel-ums-broker"), "active");
}

#[test]
fn only_a_lab_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), "x").unwrap();
    let refused =
        |path: &Path| assert!(matches!(lab::remove(path), Err(LabError::NotALab { .. })), "{path:?}");
    refused(&precious);
    refused(&folder.path().join("absent"));
    refused(&precious.join("file"));
    fs::write(precious.join("lab.toml"), "nofm = 1\n").unwrap();
    refused(&precious);
    let farm = Farm::with(|options| options.counts = counts(2, 2, 1));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&farm.lab.dir, &link).unwrap();
    refused(&link);
    assert!(precious.join("file").exists());
}

#[test]
fn a_folder_in_use_and_options_out_of_bounds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let create = |options: &LabOptions| lab::create(&igel(), options).unwrap_err().to_string();
    let options = LabOptions::new(folder.path());
    assert!(create(&options).contains("the folder is not empty"), "{}", create(&options));
    assert!(folder.path().join("file").exists());
    for (servers, speed) in [(1, 1.0), (101, 1.0), (4, 0.0), (4, f64::NAN), (4, -1.0)] {
        let options =
            LabOptions { counts: counts(servers, 2, 1), speed, ..LabOptions::new(folder.path().join("new")) };
        assert!(create(&options).contains("is not possible"), "{servers} {speed}");
    }
    assert!(!folder.path().join("new").exists());
    assert!(matches!(LabSource::of("nothing"), Err(LabError::NoLab { .. })));
    for name in ["nothing", "clock:always", ""] {
        let options = LabOptions { faults: strings(&[name]), ..LabOptions::new(folder.path().join("new")) };
        assert!(matches!(lab::create(&igel(), &options), Err(LabError::NoFault { .. })), "{name}");
    }
    assert!(lab::faults(&igel()).unwrap().len() >= 13);
}

#[test]
fn a_lab_whose_services_do_not_start_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("lab");
    let options = LabOptions { program: Some("/bin/false".into()), ..LabOptions::new(&dir) };
    assert!(matches!(lab::create(&igel(), &options), Err(LabError::NotStarted { .. })));
    assert!(!dir.exists());
    assert_eq!(processes(&dir), Vec::<String>::new());
}

#[test]
fn forty_servers_are_a_lab_too() {
    let farm = Farm::with(|options| {
        options.counts = counts(40, 2, 1);
        options.speed = 100.0;
    });
    assert_eq!(farm.version("ums-40"), "12.04.100");
    assert!(farm.install("ums-1").out.contains("1 of 40 servers updated"));
    assert!(farm.rows("UMS_RMGUISERVER").iter().all(|row| row.status == "SERVICE_RUNNING"));
}
