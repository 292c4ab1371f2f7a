// Sign in with name and password.
import { fill, h } from "../parts/dom.js";
import { signIn } from "../parts/session.js";

export function open(main, _route, frame) {
  const name = h("input", { id: "name", name: "username", autocomplete: "username", required: true, maxlength: 200 });
  const password = h("input", { id: "password", type: "password", name: "password", autocomplete: "current-password", required: true, maxlength: 1000 });
  const failure = h("p", { role: "alert", class: "status critical" });
  const button = h("button", { type: "submit", id: "sign-in" }, "Sign in");
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    fill(failure);
    try {
      await signIn(name.value, password.value);
      frame.onSignedIn();
    } catch (problem) {
      password.value = "";
      fill(failure, problem.hint && problem.status === 429 ? `${problem.detail}: ${problem.hint}` : problem.detail);
      password.focus();
    } finally {
      button.disabled = false;
    }
  };
  fill(main, h("form", { class: "sign-in", onsubmit: send }, h("h1", {}, "Sign in to the fleet"),
    h("div", { class: "field" }, h("label", { for: "name" }, "Name"), name), h("div", { class: "field" }, h("label", { for: "password" }, "Password"), password), failure, button));
  name.focus();
  return {};
}
