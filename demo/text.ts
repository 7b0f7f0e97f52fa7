/** A line of the demo's own; what the program says is indented behind a bar. */
export function say(text: string): void {
  console.log(text);
}

export function step(title: string): void {
  console.log(`\n${title}\n${'-'.repeat(title.length)}`);
}

export function quote(line: string): void {
  console.log(`  | ${line}`);
}
