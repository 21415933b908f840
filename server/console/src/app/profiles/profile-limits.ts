// SPDX-License-Identifier: Apache-2.0
/** The limits of a profile, as its configuration contains them and as they are entered. */
import { ProfileConfiguration } from '../core/model';
import { EnteredSize, bytesOf, enteredSize, isSize } from './byte-size';
import { EnteredRate, formatRates, parseRates, rateProblem } from './rates';

export interface EnteredLimits {
  readonly imageSize: EnteredSize;
  readonly totalSize: EnteredSize;
  readonly tenantRates: readonly EnteredRate[];
  readonly customerRates: readonly EnteredRate[];
}

export function enteredLimits(configuration: ProfileConfiguration): EnteredLimits {
  return {
    imageSize: enteredSize(configuration.maxResourceSize ?? 0, 'MB'),
    totalSize: enteredSize(configuration.maxResourcesInBytes ?? 0, 'GB'),
    tenantRates: parseRates(configuration.tenantServerRestLimitsConfiguration ?? ''),
    customerRates: parseRates(configuration.customerServerRestLimitsConfiguration ?? ''),
  };
}

export function isValid({ imageSize, totalSize, tenantRates, customerRates }: EnteredLimits, before: EnteredLimits): boolean {
  return (
    isSize(imageSize, before.imageSize) &&
    isSize(totalSize, before.totalSize) &&
    rateProblem(tenantRates) === null &&
    rateProblem(customerRates) === null
  );
}

/** The configuration with valid limits. What was not entered stays as it is, including members that the console does not know. */
export function withLimits(configuration: ProfileConfiguration, before: EnteredLimits, now: EnteredLimits): ProfileConfiguration {
  const size = (name: keyof EnteredLimits & `${string}Size`) =>
    bytesOf(now[name]) === bytesOf(before[name]) ? undefined : bytesOf(now[name]);
  const rates = (name: keyof EnteredLimits & `${string}Rates`) =>
    formatRates(now[name]) === formatRates(before[name]) ? undefined : formatRates(now[name]);
  const changes = {
    maxResourceSize: size('imageSize'),
    maxResourcesInBytes: size('totalSize'),
    tenantServerRestLimitsConfiguration: rates('tenantRates'),
    customerServerRestLimitsConfiguration: rates('customerRates'),
  };
  return { ...configuration, ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) };
}
