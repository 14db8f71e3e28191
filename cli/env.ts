/** The environment of a process: read once, in cli/io.ts, and passed down. */
export type Env = Readonly<Record<string, string | undefined>>;
