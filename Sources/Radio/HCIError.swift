import Glibc
import LinuxIO

/// Why a Bluetooth adapter cannot be used.
public struct HCIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it means for whoever set the trigger up.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// The kernel has no Bluetooth, or this process cannot see it. Trying again does not help.
    case noBluetooth = "no_bluetooth"
    /// There is no such adapter now. It may come: try again later.
    case noAdapter = "no_adapter"
    /// A capability is missing. Trying again does not help.
    case permission
    /// Somebody else has the adapter. Try again later.
    case busy
    /// It is switched off. Try again later.
    case down
    /// It was there and is gone. Close it and open it again.
    case lost
    /// The kernel or its driver failed. Close it and open it again.
    case failed
  }

  public var kind: Kind
  /// `hci0`, or "Bluetooth".
  public var adapter: String
  /// What was being done.
  public var operation: String
  /// The kernel's error number; 0 where there was none.
  public var errno: CInt
  /// What to do; whole sentences.
  public var hint: String

  public init(_ kind: Kind, adapter: String, operation: String, errno: CInt = 0, hint: String) {
    self.kind = kind
    self.adapter = adapter
    self.operation = operation
    self.errno = errno
    self.hint = hint
  }

  /// What a system call on an HCI socket returned (net/bluetooth/hci_sock.c and hci_sync.c of the kernel).
  init(adapter: String, operation: String, errno code: CInt, mode: HCIMode?) {
    let (kind, hint): (Kind, String) =
      switch code {
      case EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT:
        (
          .noBluetooth,
          "Load the kernel's `bluetooth` module. In a service: no PrivateNetwork=, and AF_BLUETOOTH in "
            + "RestrictAddressFamilies=. In a container Bluetooth exists only in the host's network."
        )
      case EPERM, EACCES:
        (
          .permission,
          mode == .shared
            ? "Grant CAP_NET_RAW (AmbientCapabilities= in the service)."
            : "Grant CAP_NET_ADMIN (AmbientCapabilities= in the service)."
        )
      case EBUSY:
        (
          .busy,
          "It is switched on by another program, usually bluetoothd: stop that, or switch the adapter off "
            + "(`bluetoothctl power off`), or set the radio's mode to shared."
        )
      case EUSERS, EALREADY:
        (.busy, "Another program has it for itself: stop that program, or name another adapter.")
      case ENODEV:
        (.noAdapter, "Check its name with `hciconfig -a` or `bluetoothctl list`, its cable and `dmesg`.")
      case ENETDOWN:
        (.down, "Switch it on: `bluetoothctl power on`, or set the radio's mode to exclusive.")
      case ERFKILL:
        (.down, "It is blocked: `rfkill unblock bluetooth`.")
      case EPIPE, EBADFD, EBADF, ENXIO, ECONNRESET:
        (.lost, "Check its cable and `dmesg`. It is used again when it comes back.")
      default:
        (.failed, "Its driver failed: look in `dmesg`, and plug the adapter in again if it goes on.")
      }
    self.init(kind, adapter: adapter, operation: operation, errno: code, hint: hint)
  }

  /// One line: what happened to which adapter, and what to do.
  public var description: String {
    let what =
      switch kind {
      case .noBluetooth: "this system has no Bluetooth"
      case .noAdapter: "there is no Bluetooth adapter \(adapter)"
      case .permission: "no permission to use the Bluetooth adapter \(adapter)"
      case .busy: "the Bluetooth adapter \(adapter) is in use"
      case .down: "the Bluetooth adapter \(adapter) is switched off"
      case .lost: "the Bluetooth adapter \(adapter) is gone"
      case .failed: "the Bluetooth adapter \(adapter) failed"
      }
    var text = what
    if errno != 0 { text += " (\(operation): \(LinuxError.text(errno)), errno \(errno))" }
    return "\(text). \(hint)"
  }
}

/// How an adapter is used.
public enum HCIMode: String, Hashable, Sendable, CaseIterable {
  /// The user channel: the adapter is ours alone, and the kernel's own Bluetooth keeps away. CAP_NET_ADMIN; the adapter must be
  /// switched off before.
  case exclusive
  /// A raw channel beside bluetoothd, as well as it goes: whoever else scans can change what we hear. CAP_NET_RAW; the adapter must
  /// be switched on.
  case shared
}
