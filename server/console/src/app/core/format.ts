// SPDX-License-Identifier: Apache-2.0
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const count = new Intl.NumberFormat();
const MB = 1024 * 1024;

export function formatTime(ms: number): string {
  return dateTime.format(ms);
}

export function formatDate(ms: number): string {
  return date.format(ms);
}

export function formatCount(n: number): string {
  return count.format(n);
}

/** A number of bytes in a unit that is easy to read, in powers of 1024. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

function inMegabytes(bytes: number, digits: number): string {
  return `${(bytes / MB).toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })} MB`;
}

/** A limit in MB. A small one has as many digits as it needs. */
export function formatLimit(bytes: number): string {
  return inMegabytes(bytes, bytes * 10 < MB ? 3 : 1);
}

/** A size that exceeds a limit, in MB, with enough digits to distinguish it from the limit. */
export function formatExcess(bytes: number, limit: number): string {
  const text = inMegabytes(bytes, 1);
  return text === formatLimit(limit) ? inMegabytes(Math.ceil((bytes / MB) * 1000) / 1000 * MB, 3) : text;
}

/** A duration in the unit that is easiest to read, such as "5 minutes". */
export function formatDuration(seconds: number): string {
  if (seconds < 100) {
    return plural(Math.round(seconds), 'second');
  }
  if (seconds < 100 * 60) {
    return plural(Math.round(seconds / 60), 'minute');
  }
  return seconds < 48 * 3600 ? plural(Math.round(seconds / 3600), 'hour') : plural(Math.round(seconds / 86_400), 'day');
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}
