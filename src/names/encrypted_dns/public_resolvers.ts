/** A public resolver that takes encrypted DNS. */
export interface PublicResolver {
  readonly operator: string;
  /** Host names, each of which stands for all below it, too: some give each user a name of their own. */
  readonly names: readonly string[];
  /** Addresses that are its alone, and serve nothing but DNS. */
  readonly addresses: readonly string[];
  /** The port for DNSCrypt at these addresses, where there is one. */
  readonly dnsCryptPort?: number;
}

/**
 * Public resolvers, by what their operators say on the pages that they keep for their users, and the
 * providers that Firefox and Chromium offer. Brought together by hand, 2026-11-27. It says what a
 * connection to port 443 is for; what it does not know, `encryptedDns` of the configuration adds.
 */
export const PUBLIC_RESOLVERS: readonly PublicResolver[] = [
  {
    operator: "AdGuard",
    names: ["adguard-dns.com", "dns.adguard.com", "dns-family.adguard.com"],
    addresses: [
      ...["94.140.14.14", "94.140.15.15", "94.140.14.15", "94.140.15.16"],
      ...["94.140.14.140", "94.140.14.141"],
      ...["2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff", "2a10:50c0::bad1:ff", "2a10:50c0::bad2:ff"],
      ...["2a10:50c0::1:ff", "2a10:50c0::2:ff"],
    ],
    dnsCryptPort: 5443,
  },
  {
    operator: "AliDNS",
    names: ["dns.alidns.com"],
    addresses: ["223.5.5.5", "223.6.6.6", "2400:3200::1", "2400:3200:baba::1"],
  },
  { operator: "Apple", names: ["doh.dns.apple.com"], addresses: [] },
  {
    operator: "Applied Privacy",
    names: ["doh.applied-privacy.net", "dot1.applied-privacy.net"],
    addresses: [],
  },
  { operator: "BT", names: ["doh.bt.com"], addresses: [] },
  {
    operator: "CIRA Canadian Shield",
    names: ["canadianshield.cira.ca"],
    addresses: [
      ...["149.112.121.10", "149.112.122.10", "149.112.121.20", "149.112.122.20"],
      ...["149.112.121.30", "149.112.122.30"],
    ],
  },
  {
    operator: "CleanBrowsing",
    names: [
      "doh.cleanbrowsing.org",
      "security-filter-dns.cleanbrowsing.org",
      "family-filter-dns.cleanbrowsing.org",
      "adult-filter-dns.cleanbrowsing.org",
    ],
    addresses: [
      ...["185.228.168.9", "185.228.169.9", "185.228.168.168", "185.228.169.168"],
      ...["185.228.168.10", "185.228.169.11", "2a0d:2a00:1::", "2a0d:2a00:2::"],
      ...["2a0d:2a00:1::1", "2a0d:2a00:2::1", "2a0d:2a00:1::2", "2a0d:2a00:2::2"],
    ],
    dnsCryptPort: 8443,
  },
  {
    operator: "Cloudflare",
    names: ["cloudflare-dns.com", "one.one.one.one", "cloudflare-gateway.com"],
    addresses: [
      ...["1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3"],
      ...["104.16.248.249", "104.16.249.249"],
      ...["162.159.61.3", "172.64.41.3", "162.159.61.4", "172.64.41.4"],
      ...["2606:4700:4700::1111", "2606:4700:4700::1001", "2606:4700:4700::1112"],
      ...["2606:4700:4700::1002", "2606:4700:4700::1113", "2606:4700:4700::1003"],
      ...["2606:4700:4700::64", "2606:4700:4700::6400"],
      ...["2606:4700::6810:f8f9", "2606:4700::6810:f9f9"],
    ],
  },
  {
    operator: "Comcast",
    names: ["doh.xfinity.com", "dot.xfinity.com"],
    addresses: [],
  },
  {
    operator: "Control D",
    names: ["dns.controld.com", "freedns.controld.com"],
    addresses: [
      ...["76.76.2.0", "76.76.2.1", "76.76.2.2", "76.76.2.3", "76.76.2.4", "76.76.2.5"],
      ...["76.76.10.0", "76.76.10.1", "76.76.10.2", "76.76.10.3", "76.76.10.4", "76.76.10.5"],
      ...["76.76.2.22", "2606:1a40::", "2606:1a40:1::"],
    ],
  },
  { operator: "Cox", names: ["dohdot.coxlab.net"], addresses: [] },
  {
    operator: "CZ.NIC",
    names: ["odvr.nic.cz"],
    addresses: ["193.17.47.1", "185.43.135.1", "2001:148f:ffff::1", "2001:148f:fffe::1"],
  },
  {
    operator: "Digitale Gesellschaft",
    names: ["dns.digitale-gesellschaft.ch"],
    addresses: ["185.95.218.42", "185.95.218.43", "2a05:fc84::42", "2a05:fc84::43"],
  },
  {
    operator: "DNS.SB",
    names: ["dns.sb", "doh.sb", "dot.sb"],
    addresses: ["185.222.222.222", "45.11.45.11", "2a09::", "2a11::"],
  },
  {
    operator: "DNS4EU",
    names: ["joindns4.eu"],
    addresses: [
      ...["86.54.11.1", "86.54.11.201", "86.54.11.12", "86.54.11.212", "86.54.11.13"],
      ...["86.54.11.213", "86.54.11.11", "86.54.11.211", "86.54.11.100", "86.54.11.200"],
    ],
  },
  { operator: "dns0.eu", names: ["dns0.eu"], addresses: ["193.110.81.0", "185.253.5.0"] },
  { operator: "dnsforge", names: ["dnsforge.de"], addresses: ["176.9.93.198", "176.9.1.117"] },
  {
    operator: "DNSPod",
    names: ["doh.pub", "dot.pub", "dns.pub"],
    addresses: ["1.12.12.12", "120.53.53.53"],
  },
  { operator: "FDN", names: ["ns0.fdn.fr", "ns1.fdn.fr"], addresses: [] },
  {
    operator: "Google",
    names: ["dns.google", "dns64.dns.google", "dns.google.com"],
    addresses: [
      ...["8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"],
      ...["2001:4860:4860::64", "2001:4860:4860::6464"],
    ],
  },
  {
    operator: "Hurricane Electric",
    names: ["ordns.he.net"],
    addresses: ["74.82.42.42", "2001:470:20::2"],
  },
  { operator: "IIJ", names: ["public.dns.iij.jp"], addresses: ["103.2.57.5", "103.2.57.6"] },
  { operator: "LibreDNS", names: ["doh.libredns.gr", "dot.libredns.gr"], addresses: [] },
  {
    operator: "Mullvad",
    names: ["dns.mullvad.net"],
    addresses: [
      ...["194.242.2.2", "194.242.2.3", "194.242.2.4", "194.242.2.5", "194.242.2.6"],
      ...["194.242.2.9", "2a07:e340::2", "2a07:e340::3", "2a07:e340::4", "2a07:e340::5"],
      ...["2a07:e340::6", "2a07:e340::9"],
    ],
  },
  {
    operator: "NextDNS",
    names: ["dns.nextdns.io", "dns1.nextdns.io", "dns2.nextdns.io", "doh3.dns.nextdns.io"],
    addresses: [],
  },
  {
    operator: "Njalla",
    names: ["dns.njal.la"],
    addresses: ["95.215.19.53", "2001:67c:2354:2::53"],
  },
  {
    operator: "OpenDNS",
    names: [
      ...["dns.opendns.com", "doh.opendns.com", "familyshield.opendns.com"],
      ...["doh.familyshield.opendns.com", "dns.umbrella.com", "doh.umbrella.com"],
    ],
    addresses: [
      ...["208.67.222.222", "208.67.220.220", "208.67.222.123", "208.67.220.123"],
      ...["146.112.41.2", "146.112.41.3", "2620:119:35::35", "2620:119:53::53"],
      ...["2620:119:fc::2", "2620:119:fc::3"],
    ],
    dnsCryptPort: 443,
  },
  {
    operator: "Quad9",
    names: ["dns.quad9.net", "dns9.quad9.net", "dns10.quad9.net", "dns11.quad9.net"],
    addresses: [
      ...["9.9.9.9", "149.112.112.112", "9.9.9.10", "149.112.112.10", "9.9.9.11"],
      ...["149.112.112.11", "149.112.112.9", "2620:fe::fe", "2620:fe::9", "2620:fe::10"],
      ...["2620:fe::fe:10", "2620:fe::11", "2620:fe::fe:11", "2620:fe::fe:9"],
    ],
    dnsCryptPort: 8443,
  },
  { operator: "Quickline", names: ["doh.quickline.ch"], addresses: [] },
  {
    operator: "RethinkDNS",
    names: ["sky.rethinkdns.com", "max.rethinkdns.com", "basic.rethinkdns.com"],
    addresses: [],
  },
  {
    operator: "Spectrum",
    names: ["doh-01.spectrum.com", "doh-02.spectrum.com"],
    addresses: [],
  },
  {
    operator: "SWITCH",
    names: ["dns.switch.ch"],
    addresses: ["130.59.31.248", "130.59.31.251", "2001:620:0:ff::2", "2001:620:0:ff::3"],
  },
  {
    operator: "UncensoredDNS",
    names: ["anycast.uncensoreddns.org", "unicast.uncensoreddns.org"],
    addresses: ["91.239.100.100", "89.233.43.71"],
  },
  {
    operator: "Wikimedia",
    names: ["wikimedia-dns.org"],
    addresses: ["185.71.138.138", "2001:67c:930::1"],
  },
  {
    operator: "Yandex",
    names: ["dns.yandex.ru", "dot.dns.yandex.net", "dns.yandex.net"],
    addresses: ["77.88.8.8", "77.88.8.1", "77.88.8.88", "77.88.8.2", "77.88.8.7", "77.88.8.3"],
    dnsCryptPort: 15353,
  },
];
