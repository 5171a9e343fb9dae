/** What a key does in the list of runs. */
export type ListAction =
  | { type: 'move'; to: number; extend: boolean }
  | { type: 'open' }
  | { type: 'insert' }
  | { type: 'toggle' }
  | { type: 'select-all' }
  | { type: 'leave' };

interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

const PAGE_ROWS = 8;

export function listAction(key: Key, index: number, count: number): ListAction | null {
  const command = key.ctrlKey || key.metaKey;
  const move = (to: number): ListAction => ({
    type: 'move',
    to: Math.max(0, Math.min(count - 1, to)),
    extend: key.shiftKey
  });
  switch (key.key) {
    case 'ArrowDown':
      return move(index + 1);
    case 'ArrowUp':
      return index === 0 && !key.shiftKey ? { type: 'leave' } : move(index - 1);
    case 'PageDown':
      return move(index + PAGE_ROWS);
    case 'PageUp':
      return move(index - PAGE_ROWS);
    case 'Home':
      return move(0);
    case 'End':
      return move(count - 1);
    case 'Enter':
      return command ? { type: 'insert' } : { type: 'open' };
    case ' ':
      return { type: 'toggle' };
    case 'Escape':
      return { type: 'leave' };
    case 'a':
      return command ? { type: 'select-all' } : null;
    default:
      return null;
  }
}

/** The ids between two rows, both included. */
export function idsBetween(
  runs: readonly { sim_id: string }[],
  from: number,
  to: number
): string[] {
  const [low, high] = from < to ? [from, to] : [to, from];
  return runs.slice(low, high + 1).map(run => run.sim_id);
}
