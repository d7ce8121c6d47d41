/** An address on this machine or its network: adapters for clouds serve their imitations too. */
export function isNearby(hostname: string): boolean {
  if (!hostname.includes('.') || hostname.startsWith('[')) return true;
  if (/\.(local|localhost|lan|home|internal)$/.test(hostname)) return true;
  return /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname);
}
