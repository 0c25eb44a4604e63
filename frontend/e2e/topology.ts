// The running stack, as `cargo stack` describes it.

import { readFileSync } from "node:fs";

export interface User {
  username: string;
  password: string;
  first_name: string;
  last_name: string;
  customer_id: string | null;
}

interface Topology {
  gateway: { public_url: string };
  keycloak: { url: string };
  jaeger: { url: string };
  s3: { url: string; bucket: string; region: string; access_key: string; secret_key: string };
  users: User[];
  postgres: { databases: { crm: { url: string }; telemetry: { url: string } } };
}

function load(): Topology {
  const path = process.env.BIONICPRO_TOPOLOGY;
  if (!path) throw new Error("BIONICPRO_TOPOLOGY must name a stack's topology.json");
  return JSON.parse(readFileSync(path, "utf8")) as Topology;
}

export const topology = load();

export function user(username: string): User {
  const found = topology.users.find((each) => each.username === username);
  if (!found) throw new Error(`the stack has no user ${username}`);
  return found;
}
