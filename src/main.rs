fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("runner") => {
            tracing_subscriber::fmt().with_writer(std::fs::File::create("/tmp/runner.log").unwrap()).init();
            match nofm::runner::main(std::path::Path::new(&args[2])) {
                Ok(_) => {}
                Err(e) => { tracing::error!("{e}"); std::process::exit(1) }
            }
        }
        Some("lab-serve") => {
            let get = |k: &str| args.iter().position(|a| a == k).map(|i| args[i + 1].clone());
            nofm::lab::serve::run(get("--address").unwrap().parse().unwrap(), get("--port").unwrap().parse().unwrap(), std::path::Path::new(&get("--dir").unwrap()), get("--pid-file").as_deref().map(std::path::Path::new)).unwrap();
        }
        _ => panic!("{args:?}"),
    }
}
