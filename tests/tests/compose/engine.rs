//! The stack in containers. `cargo stack test compose` runs this where an engine answers, and says
//! that it was skipped where none does.

use std::process::Command;

use crate::root;

/// Takes the containers and their data away, whatever happened.
struct Down;

impl Drop for Down {
    fn drop(&mut self) {
        let _ = compose(&["down", "--volumes", "--timeout", "20"]);
    }
}

#[tokio::test]
#[ignore = "needs a container engine, and the ports of a development stack"]
async fn the_stack_starts_in_containers() {
    let _down = Down;
    // Ends when the last service may start: all steps have ended and the gateway is healthy.
    assert!(compose(&["up", "--build", "--detach"]), "it does not start");
    let ready = bionicpro_tests::http()
        .get("http://localhost:3000/readyz")
        .send()
        .await
        .expect("the gateway answers");
    assert!(ready.status().is_success());
}

fn compose(arguments: &[&str]) -> bool {
    let status = Command::new("docker")
        .args(["compose", "--project-name", "bionicpro-test"])
        .args(arguments)
        .current_dir(root())
        .status();
    status.is_ok_and(|status| status.success())
}
