/** Python that opens or compares runs, as it is inserted into notebooks. */

// Every JSON string is also a Python string literal of the same value.
const literal = (text: string): string => JSON.stringify(text);
const list = (ids: readonly string[]): string => `[${ids.map(literal).join(', ')}]`;

export function loadCode(simIds: readonly string[]): string {
  const [first, ...others] = simIds;
  if (first === undefined) {
    return '';
  }
  if (others.length === 0) {
    return `import ape_jupyter as ape\n\ndata = ape.connect().load_simulation(${literal(first)})`;
  }
  return [
    'import ape_jupyter as ape',
    '',
    'lib = ape.connect()',
    `runs = [lib.load_simulation(sim_id) for sim_id in ${list(simIds)}]`
  ].join('\n');
}

export function compareCode(simIds: readonly string[]): string {
  return [
    'import ape_jupyter as ape',
    '',
    'lib = ape.connect()',
    `ape.ComparisonOverlay(lib, ${list(simIds)})`
  ].join('\n');
}
