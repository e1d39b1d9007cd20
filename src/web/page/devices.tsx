import { useContext } from "preact/hooks";
import type { DeviceRow, EndFigures } from "../page_data.ts";
import { FilterLink, RouteContext } from "./filtering.tsx";
import { bytesText, countText, nameText } from "./format.ts";
import { Heading, Rows } from "./lists.tsx";
import { useAnswer } from "./live.ts";
import { NewMark, Time, Waiting } from "./parts.tsx";
import { queryOf } from "./route.ts";
import type { Column } from "./table.tsx";

const FLOWS = "/";
/** Addresses that are shown of each; a host may have many of IPv6. */
const MOST_ADDRESSES = 4;

/** What a device is called: by its name, else by its hardware address, else by its address. */
function titleOf({ names, hardwareAddress, addresses }: DeviceRow): string {
  return names[0] ?? (hardwareAddress || addresses[0]);
}

function EndVolume({ of: { flows, bytes } }: { readonly of: EndFigures }) {
  if (flows === 0) return <span class="nothing">–</span>;
  return (
    <span title={`${countText(flows)} flows`}>
      {bytes === 0 ? `${countText(flows)} flows` : bytesText(bytes)}
    </span>
  );
}

const COLUMNS: readonly Column<DeviceRow>[] = [
  {
    title: "Device",
    key: titleOf,
    isWide: true,
    cell: (device) => (
      <>
        <FilterLink
          field="host"
          value={device.addresses}
          view={FLOWS}
          leavesTexts
          class="name"
          title="Flows from and to its addresses"
        >
          {nameText(titleOf(device))}
        </FilterLink>
        {device.names.length > 1
          ? (
            <span class="quiet" title={`by ${device.nameOrigin}`}>
              {` also ${device.names.slice(1).map(nameText).join(", ")}`}
            </span>
          )
          : null}
        {device.isNew ? <NewMark /> : null}
      </>
    ),
  },
  {
    title: "Addresses",
    key: ({ addresses }) => addresses[0],
    cell: ({ addresses }) => (
      <span class="list">
        {addresses.slice(0, MOST_ADDRESSES).map((address) => (
          <FilterLink
            key={address}
            field="host"
            value={address}
            view={FLOWS}
            leavesTexts
            class="address"
            title={`${address}: flows from and to this address`}
          >
            {address}
          </FilterLink>
        ))}
        {addresses.length > MOST_ADDRESSES
          ? <span class="quiet">and {addresses.length - MOST_ADDRESSES} more</span>
          : null}
      </span>
    ),
  },
  {
    title: "Hardware address",
    key: ({ hardwareAddress }) => hardwareAddress || null,
    isMinor: true,
    cell: ({ hardwareAddress }) =>
      hardwareAddress === ""
        ? <span class="nothing">–</span>
        : <span class="hardware">{nameText(hardwareAddress)}</span>,
  },
  {
    title: "Vendor",
    key: ({ vendor }) => vendor,
    isMinor: true,
    cell: ({ vendor, isPrivate }) =>
      vendor !== null
        ? nameText(vendor)
        : isPrivate
        ? <span class="quiet" title="The host has made its hardware address up">private</span>
        : <span class="nothing">–</span>,
  },
  {
    title: "Used",
    key: ({ used }) => used.bytes || used.flows,
    isNumber: true,
    cell: ({ used }) => <EndVolume of={used} />,
  },
  {
    title: "Served",
    key: ({ served }) => served.bytes || served.flows,
    isNumber: true,
    cell: ({ served }) => <EndVolume of={served} />,
  },
  {
    title: "First seen",
    key: ({ first }) => first,
    isMinor: true,
    cell: ({ first }) => <Time at={first} />,
  },
  { title: "Last seen", key: ({ last }) => last, cell: ({ last }) => <Time at={last} /> },
];

/** Hosts of the own networks, as they tell of themselves. */
export function Devices() {
  const answer = useAnswer<readonly DeviceRow[]>("devices", queryOf(useContext(RouteContext)));
  return (
    <>
      <Heading title="Devices of our networks" count={answer.data?.length}>
        <span class="quiet">
          Hosts as DHCP, ARP, mDNS and the like tell of them, with what they used of others and
          others of them.
        </span>
      </Heading>
      <Waiting answer={answer} />
      <Rows
        rows={answer.data}
        nothing="No device is known. Hosts of the own networks are, where their broadcasts are seen."
        caption="Devices"
        keyOf={({ hardwareAddress, addresses }) => hardwareAddress || addresses[0]}
        columns={COLUMNS}
      />
    </>
  );
}
