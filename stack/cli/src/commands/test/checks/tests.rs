//! How the results of programs are counted, and what is left out and said.

use super::*;

fn run(script: &str, counting: Counting) -> Tally {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Check { command, counting }.run(Path::new("/"))
}

#[test]
fn a_program_that_breaks_off_without_a_failed_test_counts_as_failed() {
    assert_eq!(
        run("exit 101", Counting::CargoTest),
        Tally {
            passed: 0,
            failed: 1
        }
    );
}

#[test]
fn a_crate_s_integration_tests_are_found_by_their_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/tests");
    let names = integration_tests(&folder).expect("the folder is there");
    assert!(
        names.is_sorted() && names.contains(&"oracle".to_owned()),
        "{names:?}"
    );
}

#[test]
fn a_test_that_needs_a_container_engine_is_said_to_be_skipped_where_none_answers() {
    let calls = |docker: &str| {
        let mut said = Vec::new();
        let calls = calls_of_compose(Path::new(docker), &mut said).expect("a Vec is writable");
        (calls.len(), String::from_utf8(said).expect("text"))
    };
    assert_eq!(calls("true"), (2, String::new()));
    for docker in ["false", "no-such-program"] {
        let (number, said) = calls(docker);
        assert_eq!(number, 1, "{docker}");
        let name = said
            .strip_prefix("SKIPPED ")
            .and_then(|it| it.split_once(':'));
        let (name, _) = name.unwrap_or_else(|| panic!("{docker}: {said:?}"));
        let tests = include_str!("../../../../../../tests/tests/compose/engine.rs");
        assert!(
            tests.contains(&format!("fn {name}()")),
            "there is no {name}"
        );
    }
}

#[test]
fn a_failed_test_is_not_counted_again_for_the_exit_status() {
    let script = "echo 'test result: FAILED. 4 passed; 2 failed; 0 ignored'; exit 101";
    assert_eq!(
        run(script, Counting::CargoTest),
        Tally {
            passed: 4,
            failed: 2
        }
    );
}

#[test]
fn a_check_without_counts_is_its_exit_status() {
    assert_eq!(
        run("true", Counting::ExitStatus),
        Tally {
            passed: 1,
            failed: 0
        }
    );
}
