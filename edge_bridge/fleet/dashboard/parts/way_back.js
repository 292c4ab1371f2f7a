// The address of the fleet as it was last shown, with its filter: the way back from a pack.
const kept = { hash: "#/fleet" };

export function rememberFleet() {
  kept.hash = location.hash.startsWith("#/fleet") ? location.hash : "#/fleet";
}

export const findFleet = () => kept.hash;
