/** Where the text of a result goes: takes a piece of it, and resolves when it can take the next. */
export type Write = (text: string) => Promise<void>;
