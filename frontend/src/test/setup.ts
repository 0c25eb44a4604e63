// What every test of a component needs from a browser that happy-dom lacks.

import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);
