/** Tells on standard error how far the benches are; standard output has the result alone. */
export function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
