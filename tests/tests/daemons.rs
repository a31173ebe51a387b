//! Debian's daemons that work over ODBC: recorded as they serve, stopped as an operator stops them, and replayed with driver and
//! database gone. Each answers its clients the same, and another question is found out.

use std::fmt::Debug;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::in_both_formats;
use super8_tests::packages;
use super8_tests::postgres::{Postgres, one_at_a_time, server};
use super8_tests::server::{Server, free_port, is_root};

/// The role that daemons have in PostgreSQL: their configuration files know no quotes for a password.
const ROLE: &str = "daemon";
const PASSWORD: &str = "greengage";

/// A daemon under test: its directory, and how it is started.
struct Daemon {
    desk: Desk,
    program: String,
    arguments: Vec<String>,
    port: u16,
}

impl Daemon {
    /// Runs it under `super8 VERB`, which may have options, as long as `session` talks to it, and stops it then. What the session
    /// saw, and super8's exit code with all that was printed.
    fn serve<T>(&self, verb: &str, session: impl FnOnce(u16) -> T, ready: impl Fn(u16) -> bool) -> (T, i32, String) {
        let words = verb.split(' ').chain(["tapes/tape", "--", &self.program]);
        let words: Vec<&str> = words.chain(self.arguments.iter().map(String::as_str)).collect();
        let mut server = Server::of(&self.desk.super8(&words), &self.desk.scratch.join("daemon.log"));
        server.wait_until(&self.program, || ready(self.port));
        let seen = session(self.port);
        let (code, log) = server.stop();
        (seen, code, log)
    }

    /// A directory that every user may write to, as a daemon does that changes its user.
    fn open_directory(desk: &Desk, name: &str) -> String {
        let directory = desk.scratch.directory(&format!("work/{name}"));
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777))
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        directory.display().to_string()
    }
}

/// A database of the tests' PostgreSQL with these tables, and the role's data source `shop` on it by this driver.
fn on_postgres(desk: &Desk, driver: Driver, database: &str, sql: &str) -> &'static Postgres {
    let server = server();
    {
        let _turn = one_at_a_time();
        server.fresh(database);
        let role = format!(
            "do $$ begin create role {ROLE} login password '{PASSWORD}'; exception when duplicate_object then null; end $$"
        );
        server.sql("postgres", &role);
    }
    server.sql(database, &format!("{sql}; grant all on all tables in schema public to {ROLE}"));
    let port = server.port.to_string();
    desk.configuration()
        .driver("PostgreSQL", &[("Driver", driver.library())])
        .source(
            "shop",
            &[
                ("Driver", "PostgreSQL"),
                ("Servername", "127.0.0.1"),
                ("Port", &port),
                ("Database", database),
                ("SSLmode", "disable"),
            ],
        )
        .write();
    server
}

/// What comes back for a datagram; `None` if nobody listens.
fn datagram(port: u16, message: &dyn Fn(u16) -> Vec<u8>) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no UDP socket: {error}"));
    let own = socket.local_addr().map_or(0, |address| address.port());
    let answered = (|| {
        socket.connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(15)))?;
        socket.send(&message(own))?;
        let mut answer = [0; 4096];
        let length = socket.recv(&mut answer)?;
        Ok(answer[..length].to_vec())
    })();
    match answered {
        Ok(answer) => Some(answer),
        Err(error) if std::io::Error::kind(&error) == ErrorKind::ConnectionRefused => None,
        Err(error) => panic!("no answer on port {port}: {error}"),
    }
}

/// A DNS question for an address: the answer's code, and the address.
fn dns(port: u16, name: &str) -> Option<(u8, Vec<u8>)> {
    let mut question = vec![0x12, 0x67, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(label.len() as u8);
        question.extend(label.bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let answer = datagram(port, &|_| question.clone())?;
    let answers = u16::from_be_bytes([answer[6], answer[7]]);
    let address = if answers == 0 { Vec::new() } else { answer[answer.len() - 4..].to_vec() };
    Some((answer[3] & 15, address))
}

/// What PowerDNS asks for.
const DNS_TABLES: &str = "\
    create table domains (id serial, name text, master text, last_check int, type text, notified_serial int, account text,\
        options text, catalog text);\
    create table records (id serial, domain_id int, name text, type text, content text, ttl int, prio int,\
        disabled int default 0, ordername text, auth int default 1);\
    create table domainmetadata (id serial, domain_id int, kind text, content text);\
    create table cryptokeys (id serial, domain_id int, flags int, active int, published int, content text);\
    insert into domains (name, type) values ('fruit.test', 'NATIVE');\
    insert into records (domain_id, name, type, content, ttl, prio) values\
        (1, 'fruit.test', 'SOA', 'ns.fruit.test host.fruit.test 1 3600 600 86400 60', 60, 0),\
        (1, 'fruit.test', 'NS', 'ns.fruit.test', 60, 0),\
        (1, 'apple.fruit.test', 'A', '192.0.2.3', 60, 0), (1, 'pear.fruit.test', 'A', '192.0.2.4', 60, 0)";

/// PowerDNS on this database, with a thread for TCP and three that answer, a connection each.
fn powerdns(desk: Desk) -> Daemon {
    let (port, directory) = (free_port(), desk.scratch.join("work").display().to_string());
    let modules = format!("/usr/lib/{}-linux-gnu/pdns", std::env::consts::ARCH);
    let backend = Path::new(&modules).join("libgodbcbackend.so");
    if !backend.is_file() {
        packages::missing(&backend.display().to_string(), "pdns-backend-odbc");
    }
    let settings = format!(
        "module-dir={modules}\nlaunch=godbc\ngodbc-datasource=shop\ngodbc-username={ROLE}\ngodbc-password={PASSWORD}\n\
         local-address=127.0.0.1\nlocal-port={port}\nsocket-dir={directory}\ndaemon=no\nguardian=no\nwrite-pid=no\n\
         setuid=\nsetgid=\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0\n\
         security-poll-suffix=\nreceiver-threads=1\ndistributor-threads=3\n"
    );
    desk.scratch.write("work/pdns.conf", settings);
    let program = packages::program("pdns_server", "pdns-server").display().to_string();
    Daemon { desk, program, arguments: vec![format!("--config-dir={directory}")], port }
}

/// Its backends are killed, and PowerDNS connects again. TERM ends it without exit handlers.
#[test]
fn powerdns_is_replayed_with_the_database_gone() {
    in_both_formats(|format| {
        let desk = Desk::new("powerdns").in_format(format);
        let database = format!("powerdns_{}", format.name());
        let postgres = on_postgres(&desk, Driver::PostgresUnicode, &database, DNS_TABLES);
        let daemon = powerdns(desk);
        // The first answer is part of the session: it is asked again only as long as nobody listens.
        let ready = |port| dns(port, "fruit.test").is_some();
        let session = |last: &'static str, interrupt: fn(&str)| {
            let database = database.clone();
            move |port| {
                let mut seen: Vec<_> = ["apple", "plum"].map(|name| dns(port, &format!("{name}.fruit.test"))).into();
                interrupt(&database);
                let names = ["pear", "pear", "pear", "apple", last];
                seen.extend(names.map(|name| dns(port, &format!("{name}.fruit.test"))));
                seen
            }
        };
        let kill = |database: &str| {
            let others = "pid <> pg_backend_pid() and datname = current_database()";
            server().sql(database, &format!("select pg_terminate_backend(pid) from pg_stat_activity where {others}"));
        };
        let (recorded, code, log) = daemon.serve("record", session("pear", kill), ready);
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("terminating connection"), "{log}");
        let (apple, pear) = (Some((0, vec![192, 0, 2, 3])), Some((0, vec![192, 0, 2, 4])));
        let plum = Some((3, Vec::new()));
        assert_eq!(recorded, [&apple, &plum, &pear, &pear, &pear, &apple, &pear].map(Clone::clone), "{log}");
        postgres.remove(&database);
        daemon.desk.clear();
        let (replayed, code, log) = daemon.serve("replay", session("pear", |_| {}), ready);
        assert_eq!((replayed, code), (recorded, 0), "{log}");
        let (_, code, log) = daemon.serve("replay", session("fig", |_| {}), ready);
        assert_eq!(code, 120, "{log}");
        assert!(log.contains("fig.fruit.test"), "{log}");
        let (_, code, log) = daemon.serve("replay", |port| dns(port, "apple.fruit.test"), ready);
        assert_eq!(code, 121, "{log}");
        assert!(log.contains("was stopped before it had played everything"), "{log}");
    });
}

/// Records a daemon that is asked all of `names` at once, and replays it twenty times when everything it needs is `gone`. Another
/// name is found out, and one too few. What was answered.
fn in_any_order<T: Clone + Debug + PartialEq + Send>(
    daemon: &Daemon,
    names: &[String],
    other: &str,
    ask: fn(u16, &str) -> Option<T>,
    ready: fn(u16) -> bool,
    gone: impl FnOnce(),
) -> Vec<Option<T>> {
    let together = |names: Vec<String>| {
        move |port| {
            std::thread::scope(|scope| {
                let threads: Vec<_> = names.iter().map(|name| scope.spawn(move || ask(port, name))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or(None)).collect::<Vec<_>>()
            })
        }
    };
    let (recorded, code, log) = daemon.serve("record --order any", together(names.to_vec()), ready);
    assert_eq!(code, 0, "{log}");
    gone();
    daemon.desk.clear();
    for time in 0..20 {
        let (replayed, code, log) = daemon.serve("replay", together(names.to_vec()), ready);
        assert_eq!((&replayed, code), (&recorded, 0), "time {time}: {log}");
    }
    let others = [&names[1..], &[other.to_owned()]].concat();
    let (_, code, log) = daemon.serve("replay", together(others), ready);
    assert_eq!(code, 120, "{log}");
    assert!(log.contains(other), "{log}");
    let (_, code, log) = daemon.serve("replay", together(names[1..].to_vec()), ready);
    assert_eq!(code, 121, "{log}");
    recorded
}

/// Questions that come together: which of PowerDNS's threads and connections answers which, nobody decides.
#[test]
fn powerdns_answers_in_any_order() {
    let desk = Desk::new("powerdns_any");
    let hosts: Vec<String> = (1..=12).map(|number| format!("host{number}.fruit.test")).collect();
    let rows: Vec<String> =
        hosts.iter().zip(1..).map(|(host, number)| format!("(1, '{host}', 'A', '192.0.2.{number}', 60, 0)")).collect();
    let insert = format!("insert into records (domain_id, name, type, content, ttl, prio) values {}", rows.join(", "));
    let postgres = on_postgres(&desk, Driver::PostgresUnicode, "powerdns_any", &format!("{DNS_TABLES}; {insert}"));
    let ready = |port| dns(port, "fruit.test").is_some();
    let recorded =
        in_any_order(&powerdns(desk), &hosts, "fig.fruit.test", dns, ready, || postgres.remove("powerdns_any"));
    let expected: Vec<_> = (1..=12).map(|number| Some((0, vec![192, 0, 2, number]))).collect();
    assert_eq!(recorded, expected);
}

/// A RADIUS request for a user: the answer's code, and the message in it.
fn radius(port: u16, user: &str) -> Option<(u8, String)> {
    const ACCESS_REQUEST: u8 = 1;
    const USER_NAME: u8 = 1;
    const REPLY_MESSAGE: u8 = 18;
    const HEADER: usize = 20;
    let mut request = vec![ACCESS_REQUEST, 1, 0, (HEADER + 2 + user.len()) as u8];
    // requests from the same port are told apart by these 16 bytes
    request.extend(user.bytes().cycle().take(16));
    request.extend([USER_NAME, 2 + user.len() as u8]);
    request.extend(user.bytes());
    let answer = datagram(port, &|_| request.clone())?;
    let mut rest = &answer[HEADER..];
    let mut message = String::new();
    while let [kind, length, ..] = *rest {
        let (attribute, next) = rest.split_at(usize::from(length));
        if kind == REPLY_MESSAGE {
            message = String::from_utf8_lossy(&attribute[2..]).into_owned();
        }
        rest = next;
    }
    Some((answer[0], message))
}

/// FreeRADIUS under iODBC: its pool begins with one connection and grows while requests wait for the database.
#[test]
fn freeradius_answers_in_any_order_from_a_growing_pool() {
    const TABLES: &str = "create table account (name varchar(20), fruit varchar(20));\
        insert into account select 'user' || n, 'fruit' || n from generate_series(1, 12) n;\
        create table asked (name varchar(20))";
    let module = "/usr/lib/freeradius/rlm_sql_iodbc.so";
    if !Path::new(module).is_file() {
        packages::missing(module, "freeradius-iodbc");
    }
    let desk = Desk::new("freeradius");
    let postgres = on_postgres(&desk, Driver::PostgresAnsi, "freeradius", TABLES);
    let (port, directory) = (free_port(), desk.scratch.join("work").display().to_string());
    let settings = format!(
        "prefix = /usr\nraddbdir = {directory}\nlogdir = {directory}\nrun_dir = {directory}\nlibdir = /usr/lib/freeradius\n\
         proxy_requests = no\nlog {{\n destination = stdout\n}}\nsecurity {{\n reject_delay = 0\n}}\n\
         client test {{\n ipaddr = 127.0.0.1\n secret = {PASSWORD}\n}}\n\
         thread pool {{\n start_servers = 8\n max_servers = 8\n min_spare_servers = 1\n max_spare_servers = 8\n}}\n\
         modules {{\n\
         \x20 sql {{\n\
         \x20   driver = rlm_sql_iodbc\n dialect = postgresql\n server = shop\n login = {ROLE}\n password = {PASSWORD}\n\
         \x20   pool {{\n start = 1\n min = 1\n max = 8\n spare = 7\n retry_delay = 0\n }}\n\
         \x20 }}\n\
         }}\n\
         server default {{\n\
         \x20 listen {{\n type = auth\n ipaddr = 127.0.0.1\n port = {port}\n }}\n\
         \x20 authorize {{\n\
         \x20   update control {{\n\
         \x20     Tmp-String-0 := \"%{{sql:insert into asked values ('%{{User-Name}}')}}\"\n\
         \x20     Auth-Type := Accept\n\
         \x20   }}\n\
         \x20   update reply {{\n\
         \x20     Reply-Message := \"%{{sql:select fruit from account, pg_sleep(0.2) where name = '%{{User-Name}}'}}\"\n\
         \x20   }}\n\
         \x20 }}\n\
         }}\n"
    );
    desk.scratch.write("work/radiusd.conf", settings);
    let program = packages::program("freeradius", "freeradius").display().to_string();
    let arguments = ["-f", "-d", &directory].map(str::to_owned).into();
    let daemon = Daemon { desk, program, arguments, port };
    let users: Vec<String> = (1..=12).map(|number| format!("user{number}")).collect();
    let ready = |port| radius(port, "nobody").is_some();
    let recorded = in_any_order(&daemon, &users, "somebody", radius, ready, || postgres.remove("freeradius"));
    let expected: Vec<_> = (1..=12).map(|number| Some((2, format!("fruit{number}")))).collect();
    assert_eq!(recorded, expected);
    let commands = daemon.desk.scratch.join("work/tapes/tape/commands.yml");
    let commands = std::fs::read_to_string(&commands).unwrap_or_else(|error| panic!("{}: {error}", commands.display()));
    let connections = commands.matches("method: connect").count();
    assert!((2..=8).contains(&connections), "the pool did not grow, or too far:\n{commands}");
}

/// ProFTPD: a child for each session, which becomes another user before it asks the database.
#[test]
fn proftpd_is_replayed_with_the_database_gone() {
    const CLIENT: &str = "import ftplib, sys\n\
        for account in sys.argv[2:]:\n\
        \x20   ftp = ftplib.FTP()\n\
        \x20   ftp.connect('127.0.0.1', int(sys.argv[1]), timeout=20)\n\
        \x20   try:\n\
        \x20       print(ftp.login(*account.split(':')), ftp.nlst())\n\
        \x20       ftp.quit()\n\
        \x20   except ftplib.error_perm as refused:\n\
        \x20       print(refused)\n\
        \x20       ftp.close()\n";
    assert!(is_root(), "ProFTPD changes its user, so that only root can start it: run the tests as root");
    in_both_formats(|format| {
        let desk = Desk::new("proftpd").in_format(format);
        let (home, database) = (Daemon::open_directory(&desk, "home"), Daemon::open_directory(&desk, "database"));
        Daemon::open_directory(&desk, "tapes");
        desk.scratch.write("work/home/pear.txt", "a pear");
        let database = format!("{database}/users.db");
        desk.sql(&format!(
            "attach '{database}' as ftp;\
             create table ftp.users (userid text, passwd text, uid integer, gid integer, homedir text, shell text, count integer);\
             create table ftp.groups (groupname text, gid integer, members text);\
             insert into ftp.groups values ('nogroup', 65534, 'ada');\
             insert into ftp.users values ('ada', 'damson', 65534, 65534, '{home}', '/bin/sh', 0),\
                 ('bob', 'medlar', 65534, 65534, '{home}', '/bin/sh', 0)"
        ));
        std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o666))
            .unwrap_or_else(|error| panic!("{database}: {error}"));
        let library = Driver::Sqlite.library();
        desk.configuration()
            .driver("SQLite3", &[("Driver", library)])
            .source("users", &[("Driver", "SQLite3"), ("Database", &database)])
            .write();
        let (port, directory) = (free_port(), desk.scratch.join("work").display().to_string());
        let settings = format!(
            "ServerName test\nServerType standalone\nDefaultServer on\nPort {port}\nDefaultAddress 127.0.0.1\nUseIPv6 off\n\
             User nobody\nGroup nogroup\nUseReverseDNS off\nWtmpLog off\nDelayEngine off\nRequireValidShell off\n\
             PidFile {directory}/pid\nScoreboardFile {directory}/scoreboard\nSystemLog {directory}/system.log\n\
             LoadModule mod_sql.c\nLoadModule mod_sql_odbc.c\nAuthOrder mod_sql.c\nSQLBackend odbc\nSQLEngine on\n\
             SQLAuthTypes Plaintext\nSQLAuthenticate users groups\nSQLConnectInfo users\n\
             SQLUserInfo users userid passwd uid gid homedir shell\nSQLGroupInfo groups groupname gid members\n\
             SQLNamedQuery counted UPDATE \"count=count+1 WHERE userid='%u'\" users\nSQLLog PASS counted\n"
        );
        let settings = desk.scratch.write("work/proftpd.conf", settings).display().to_string();
        let program = packages::program("proftpd", "proftpd-core").display().to_string();
        let arguments = ["-n", "-c", &settings].map(str::to_owned).into();
        let daemon = Daemon { desk, program, arguments, port };
        let client = |accounts: &'static [&'static str]| {
            move |port: u16| {
                let mut python = Command::new(packages::program("python3", "python3"));
                let output = python.args(["-c", CLIENT, &port.to_string()]).args(accounts).output();
                let output = output.unwrap_or_else(|error| panic!("{error}"));
                String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
            }
        };
        // a session that says nothing asks the database nothing
        let ready = |_| std::fs::metadata(format!("{directory}/pid")).is_ok_and(|file| file.len() > 0);
        let serve = |verb, accounts| {
            let _ = std::fs::remove_file(format!("{directory}/pid"));
            daemon.serve(verb, client(accounts), ready)
        };
        // the last one begins as the first one does
        const ACCOUNTS: &[&str] = &["ada:damson", "bob:medlar", "ada:wrong"];
        let (recorded, code, log) = serve("record", ACCOUNTS);
        assert_eq!(code, 0, "{recorded}\n{log}");
        assert_eq!(recorded.matches("pear.txt").count(), 2, "{recorded}\n{log}");
        assert!(recorded.contains("530 Login incorrect"), "{recorded}\n{log}");
        std::fs::remove_file(&database).unwrap_or_else(|error| panic!("{database}: {error}"));
        daemon.desk.clear();
        let (replayed, code, log) = serve("replay", ACCOUNTS);
        assert_eq!((replayed, code), (recorded.clone(), 0), "{log}");
        let (shuffled, code, log) = serve("replay", &["ada:wrong", "ada:damson", "bob:medlar"]);
        assert_eq!(code, 0, "{shuffled}\n{log}");
        let (_, code, log) = serve("replay", &["ada:damson", "eve:medlar", "ada:wrong"]);
        assert_eq!(code, 120, "{log}");
        assert!(log.contains("userid='eve'"), "{log}");
        let (_, code, log) = serve("replay", &["ada:damson", "ada:wrong"]);
        assert_eq!(code, 121, "{log}");
        assert!(log.contains("no process played this part"), "{log}");
    });
}

/// A SIP request for a user: the status line of the answer, and the price in it.
fn sip(port: u16, user: &str) -> Option<String> {
    let request = |own: u16| {
        format!(
            "OPTIONS sip:{user}@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{user}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:test@127.0.0.1>;tag=1\r\nTo: <sip:{user}@127.0.0.1>\r\n\
             Call-ID: {user}@test\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    };
    let answer = String::from_utf8_lossy(&datagram(port, &request)?).into_owned();
    let lines = answer.lines().filter(|line| line.starts_with("SIP/2.0") || line.starts_with("X-Price"));
    Some(lines.collect::<Vec<_>>().join(" "))
}

/// Kamailio: it connects before it forks its workers, each of which connects for itself and ends with `_exit`.
#[test]
fn kamailio_is_replayed_with_the_database_gone() {
    const TABLES: &str = "create table colour (key_name varchar(20), key_type integer, value_type integer,\
            key_value varchar(20), expires integer);\
        insert into colour values ('apple', 0, 0, 'red', 0), ('pear', 0, 0, 'green', 0);\
        create table fruit (name varchar(20), price integer); insert into fruit values ('apple', 3), ('pear', 4)";
    /// The first process connects and closes, then four are forked and keep a connection.
    const CONNECTIONS: usize = 5;
    in_both_formats(|format| {
        let desk = Desk::new("kamailio").in_format(format);
        let database = format!("kamailio_{}", format.name());
        let postgres = on_postgres(&desk, Driver::PostgresUnicode, &database, TABLES);
        let (port, directory) = (free_port(), desk.scratch.join("work").display().to_string());
        let module = format!("/usr/lib/{}-linux-gnu/kamailio/modules/db_unixodbc.so", std::env::consts::ARCH);
        if !Path::new(&module).is_file() {
            packages::missing(&module, "kamailio-unixodbc-modules");
        }
        let url = format!("unixodbc://{ROLE}:{PASSWORD}@localhost/shop");
        let settings = format!(
            "debug=3\nlog_stderror=yes\nfork=yes\nchildren=1\nauto_aliases=no\nlisten=udp:127.0.0.1:{port}\ndisable_tcp=yes\n\
             loadmodule \"kex.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\n\
             loadmodule \"db_unixodbc.so\"\nloadmodule \"sqlops.so\"\nloadmodule \"htable.so\"\n\
             modparam(\"sqlops\", \"sqlcon\", \"shop=>{url}\")\nmodparam(\"htable\", \"db_url\", \"{url}\")\n\
             modparam(\"htable\", \"htable\", \"colour=>size=4;dbtable=colour;\")\n\
             request_route {{\n\
             \x20 sql_query(\"shop\", \"select price from fruit where name = '$rU'\", \"found\");\n\
             \x20 if ($dbr(found=>rows) > 0) {{\n\
             \x20   append_to_reply(\"X-Price: $dbr(found=>[0,0]) $sht(colour=>$rU)\\r\\n\");\n\
             \x20   sl_send_reply(\"200\", \"OK\");\n\
             \x20 }} else {{\n\
             \x20   sl_send_reply(\"404\", \"No such fruit\");\n\
             \x20 }}\n\
             \x20 sql_result_free(\"found\");\n\
             }}\n"
        );
        let settings = desk.scratch.write("work/kamailio.cfg", settings).display().to_string();
        let program = packages::program("kamailio", "kamailio").display().to_string();
        let arguments = ["-f", &settings, "-DD", "-E", "-m", "64", "-M", "8", "-Y", &directory];
        let daemon = Daemon { desk, program, arguments: arguments.map(str::to_owned).into(), port };
        let ready = |_| {
            let log = std::fs::read(daemon.desk.scratch.join("daemon.log")).unwrap_or_default();
            String::from_utf8_lossy(&log).matches("connection succeeded with").count() == CONNECTIONS
        };
        let session = |users: &'static [&'static str]| {
            move |port| users.iter().map(|user| sip(port, user).unwrap_or_default()).collect::<Vec<_>>()
        };
        let (recorded, code, log) = daemon.serve("record", session(&["apple", "pear", "plum"]), ready);
        assert_eq!(code, 0, "{log}");
        let expected =
            ["SIP/2.0 200 OK X-Price: 3 red", "SIP/2.0 200 OK X-Price: 4 green", "SIP/2.0 404 No such fruit"];
        assert_eq!(recorded, expected, "{log}");
        postgres.remove(&database);
        daemon.desk.clear();
        let (replayed, code, log) = daemon.serve("replay", session(&["apple", "pear", "plum"]), ready);
        assert_eq!((replayed, code), (recorded, 0), "{log}");
        // It connects again after the mismatch, in vain, and its next query would be on a statement that is freed already.
        let (_, code, log) = daemon.serve("replay", session(&["apple", "quince"]), ready);
        assert_eq!(code, 120, "{log}");
        assert!(log.contains("name = 'quince'"), "{log}");
        let (_, code, log) = daemon.serve("replay", session(&["apple"]), ready);
        assert_eq!(code, 121, "{log}");
    });
}
