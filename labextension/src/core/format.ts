import type { Trans } from './trans';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1
});
const upToTwoDecimals = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(undefined, {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1
});
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'long' });

/** Stands for a figure that the run does not have. */
export const NONE = '–';

export function formatCount(value: number): string {
  return integer.format(value);
}

export function formatLetters(value: number | null): string {
  return value === null ? NONE : oneDecimal.format(value);
}

export function formatShare(value: number | null): string {
  return value === null ? NONE : percent.format(value);
}

export function formatYears(years: number, trans: Trans): string {
  // The plural of a fraction is English's plural of "many".
  return trans._n('%2 year', '%2 years', years === 1 ? 1 : 2, upToTwoDecimals.format(years));
}

export function formatSeconds(seconds: number | null, trans: Trans): string {
  if (seconds === null) {
    return NONE;
  }
  return seconds < 120
    ? trans.__('%1 s', oneDecimal.format(seconds))
    : trans.__('%1 min', oneDecimal.format(seconds / 60));
}

export function formatMegabytes(megabytes: number, trans: Trans): string {
  if (megabytes < 1) {
    return trans.__('%1 kB', formatCount(Math.ceil(megabytes * 1000)));
  }
  return megabytes < 1000
    ? trans.__('%1 MB', oneDecimal.format(megabytes))
    : trans.__('%1 GB', oneDecimal.format(megabytes / 1000));
}

export function formatTime(iso: string): string {
  return fullDate.format(new Date(iso));
}

export function formatDay(iso: string): string {
  return day.format(new Date(iso));
}

/** "5 minutes ago", "yesterday", and the date itself once weeks have passed. */
export function formatAge(iso: string, now: number = Date.now()): string {
  const age = now - new Date(iso).getTime();
  if (Math.abs(age) < MINUTE) {
    return relative.format(0, 'second');
  }
  if (Math.abs(age) < HOUR) {
    return relative.format(-Math.round(age / MINUTE), 'minute');
  }
  if (Math.abs(age) < DAY) {
    return relative.format(-Math.round(age / HOUR), 'hour');
  }
  if (Math.abs(age) < 14 * DAY) {
    return relative.format(-Math.round(age / DAY), 'day');
  }
  return formatDay(iso);
}
