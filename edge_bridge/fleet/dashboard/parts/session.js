// Who is signed in, and what this person may do. An API without accounts has one local administrator.
import { access, change, read } from "./api.js";

const ROLES_OF = {
  acknowledge: ["operator", "approver", "administrator"],
};
export const person = { name: "", roles: [], isLocal: true, hasAccounts: false };

export async function readPerson() {
  try {
    take(await read("/session"));
  } catch (problem) {
    if (problem.status === 404) Object.assign(person, { name: "local", isLocal: true, hasAccounts: false });
    else throw problem;
  }
}

export async function signIn(name, password) {
  take(await change("POST", "/session", { name, password }));
}

export async function signOut() {
  await change("DELETE", "/session");
  access.csrf = "";
  Object.assign(person, { name: "", roles: [], isLocal: false });
}

export function may(action) {
  return person.isLocal || person.roles.some((grant) => (ROLES_OF[action] ?? []).includes(grant.role));
}

function take(found) {
  access.csrf = String(found?.csrf ?? "");
  Object.assign(person, {
    name: String(found?.name ?? ""),
    roles: Array.isArray(found?.roles) ? found.roles : [],
    isLocal: found?.is_local === true,
    hasAccounts: true,
  });
}
