import { describe, expect, it } from 'vitest';
import { compareCode, english, loadCode, problemFromStatus } from '../../src/core';
import {
  formatAge,
  formatCount,
  formatMegabytes,
  formatShare,
  formatYears
} from '../../src/core/format';

describe('code', () => {
  it('opens one run', () => {
    expect(loadCode(['sim_1'])).toBe(
      'import ape_jupyter as ape\n\ndata = ape.connect().load_simulation("sim_1")'
    );
  });

  it('opens several runs in one go', () => {
    expect(loadCode(['a', 'b'])).toContain(
      'runs = [lib.load_simulation(sim_id) for sim_id in ["a", "b"]]'
    );
  });

  it('compares runs', () => {
    expect(compareCode(['a', 'b'])).toBe(
      'import ape_jupyter as ape\n\nlib = ape.connect()\nape.ComparisonOverlay(lib, ["a", "b"])'
    );
  });

  it('keeps quotes inside the string', () => {
    expect(loadCode(['a"b'])).toContain(String.raw`load_simulation("a\"b")`);
  });
});

describe('format', () => {
  const now = Date.parse('2026-06-01T12:00:00Z');

  it.each([
    ['2026-06-01T11:59:30Z', 'now'],
    ['2026-06-01T11:15:00Z', '45 minutes ago'],
    ['2026-06-01T09:00:00Z', '3 hours ago'],
    ['2026-05-31T12:00:00Z', 'yesterday'],
    ['2026-05-25T12:00:00Z', '7 days ago'],
    ['2026-01-01T12:00:00Z', 'Jan 1, 2026']
  ])('tells the age of %s as %s', (time, text) => {
    expect(formatAge(time, now)).toBe(text);
  });

  it('groups digits, and marks what is missing', () => {
    expect(formatCount(1234567)).toBe('1,234,567');
    expect(formatShare(0.527)).toBe('52.7%');
    expect(formatShare(null)).toBe('–');
    expect(formatYears(1, english)).toBe('1 year');
    expect(formatYears(2.5, english)).toBe('2.5 years');
    expect(formatMegabytes(0.0312, english)).toBe('32 kB');
    expect(formatMegabytes(2500, english)).toBe('2.5 GB');
  });
});

describe('problems', () => {
  it.each([
    [401, null, 'unauthorized'],
    [403, { message: 'Forbidden' }, 'forbidden'],
    [404, { message: 'Not Found' }, 'not-enabled'],
    [404, { error: 'SimulationNotFoundError', message: 'No run', details: {} }, 'not-found'],
    [409, { error: 'ConflictError', message: 'changed', details: {} }, 'conflict'],
    [400, { error: 'QuerySyntaxError', message: 'odd', details: {} }, 'invalid'],
    [503, { error: 'LibraryBusyError', message: 'busy', details: {} }, 'busy'],
    [500, { error: 'ApeError', message: 'log bc81', details: {} }, 'server'],
    [502, null, 'server']
  ])('tells apart status %i with %j', (status, body, kind) => {
    expect(problemFromStatus(status, body).kind).toBe(kind);
  });
});
