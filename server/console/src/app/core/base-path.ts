// SPDX-License-Identifier: Apache-2.0
/**
 * The path under which the console and the API are reached, without a slash at its end; empty at the root of
 * a host. The server writes it into <base href> of the page, from HTTP_BASE_PATH or from what a trusted proxy
 * says.
 */
export const BASE_PATH = new URL(document.baseURI).pathname.replace(/\/+$/, '');

/** The address of a path of the server, such as `/api/images`, as the browser requests it. */
export function served(path: string): string {
  return BASE_PATH + path;
}

/** The same for a link that the API returned, which may already contain the base path. */
export function servedLink(link: string): string {
  return BASE_PATH && link.startsWith(`${BASE_PATH}/api/`) ? link : served(link);
}
