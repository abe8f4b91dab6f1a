/** What a registry is told about who asks. */

/** One registry's credential, as the Docker Engine API has it. */
export type Credential =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly identitytoken: string }
  /** A Bearer token, sent as it is. */
  | { readonly registrytoken: string }
