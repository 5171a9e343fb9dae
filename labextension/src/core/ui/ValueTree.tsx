import type { ReactElement } from 'react';
import { NONE } from '../format';
import { useTrans } from '../trans';

const OPEN_DEPTH = 1;

function isBranch(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === 'object' && value !== null;
}

/** A list of plain values reads best on one line. */
function isLeafList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.every(item => !isBranch(item));
}

function leafText(value: unknown): string {
  if (isLeafList(value)) {
    return value.map(leafText).join(', ') || NONE;
  }
  switch (typeof value) {
    case 'string':
      return value || NONE;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return NONE;
  }
}

interface ValueTreeProps {
  value: Record<string, unknown> | unknown[];
  depth?: number;
}

/** Nested parameters as keys and values; deeper branches open on demand. */
export function ValueTree({ value, depth = 0 }: ValueTreeProps): ReactElement {
  const trans = useTrans();
  const entries = Object.entries(value);
  if (entries.length === 0) {
    return <p className="jp-ape-ValueTree-none">{trans.__('none')}</p>;
  }
  return (
    <ul className="jp-ape-ValueTree">
      {entries.map(([key, item]) => (
        <li key={key}>
          {isBranch(item) && !isLeafList(item) ? (
            <details open={depth < OPEN_DEPTH}>
              <summary>{key}</summary>
              <ValueTree value={item} depth={depth + 1} />
            </details>
          ) : (
            <div className="jp-ape-ValueTree-leaf">
              <span className="jp-ape-ValueTree-key">{key}</span>
              <span className="jp-ape-ValueTree-value">{leafText(item)}</span>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
