// SPDX-License-Identifier: Apache-2.0
/**
 * ThingsBoard's text format of rate limits: `100:1,2000:60` allows 100 requests in 1 second and 2,000 in 60 seconds.
 * All rates apply at once.
 */
import { formatCount } from '../core/format';

/** As it was typed. A rate of which both are empty is left out. */
export interface EnteredRate {
  readonly requests: string;
  readonly seconds: string;
}

/** The server accepts no more of them in one limit. */
export const MOST_RATES = 8;
const LARGEST = 4_294_967_295;

/** None for an empty text, and for a text that is not in this format. */
export function parseRates(text: string): readonly EnteredRate[] {
  const rates = text.split(',').map((part) => /^(\d+):(\d+)$/.exec(part));
  return rates.flatMap((match) => (match ? [{ requests: match[1], seconds: match[2] }] : []));
}

export function formatRates(rates: readonly EnteredRate[]): string {
  return rates
    .filter((rate) => !isEmpty(rate))
    .map(({ requests, seconds }) => `${Number(requests)}:${Number(seconds)}`)
    .join(',');
}

/** What is wrong with the rates; null if nothing is. */
export function rateProblem(rates: readonly EnteredRate[]): string | null {
  const given = rates.filter((rate) => !isEmpty(rate));
  if (!given.every(({ requests, seconds }) => isCount(requests) && isCount(seconds))) {
    return `Enter whole numbers of requests and seconds, from 1 to ${formatCount(LARGEST)}.`;
  }
  const periods = given.map(({ seconds }) => Number(seconds));
  const twice = periods.find((seconds, i) => periods.indexOf(seconds) < i);
  return twice === undefined ? null : `There are two limits for ${twice} s. Remove one of them.`;
}

/** For a table. */
export function ratesText(text: string): string {
  const rates = parseRates(text).map(({ requests, seconds }) => `${formatCount(Number(requests))} per ${formatCount(Number(seconds))} s`);
  return rates.length > 0 ? rates.join(', ') : text || 'No limit';
}

function isEmpty({ requests, seconds }: EnteredRate): boolean {
  return requests.trim() === '' && seconds.trim() === '';
}

function isCount(text: string): boolean {
  const number = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return number >= 1 && number <= LARGEST;
}
