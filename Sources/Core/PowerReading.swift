public import Media

/// What one supply said of itself. Nil where its driver does not say.
public struct SupplyReading: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// A battery of this machine, or an uninterruptible supply.
    case battery
    /// What the machine can run on beside its battery: mains, USB, a wireless charger.
    case external
  }

  public enum Charge: Hashable, Sendable {
    case charging, discharging, notCharging, full
  }

  /// As the kernel calls it.
  public var name: String
  public var kind: Kind
  /// False: the bay is empty.
  public var isPresent = true
  /// Of an external supply: it can deliver.
  public var isOnline: Bool?
  /// 0...100.
  public var percent: Int?
  public var charge: Charge?
  /// Until it is empty, by its driver's reckoning; more than zero.
  public var timeLeft: Nanoseconds?
  /// What it holds when it is full, µWh or µAh: its weight beside other batteries.
  public var capacity: Int64?

  public init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

/// What all supplies of the machine said, one after the other.
public struct PowerReading: Hashable, Sendable {
  /// When the last of them had answered.
  public var time: MonotonicTime
  public var supplies: [SupplyReading]

  public init(time: MonotonicTime, supplies: [SupplyReading]) {
    self.time = time
    self.supplies = supplies
  }
}

/// How long recording can go on, as far as the supplies tell. Raw values are those of the journal.
public enum PowerLevel: String, Hashable, Sendable, CaseIterable {
  /// Something other than the battery feeds the machine.
  case external
  case normal
  /// An alarm; recording goes on.
  case low
  /// What is left is for closing the recording.
  case critical
}

/// What is known of the power supply.
public struct PowerState: Hashable, Sendable {
  /// What is known of the battery, or of all batteries together.
  public enum Battery: Hashable, Sendable {
    /// None was ever seen.
    case absent
    case present
    /// It is there and does not say how full it is.
    case silent
    /// It was there before.
    case gone
  }

  /// Nil: nothing tells.
  public var level: PowerLevel?
  public var battery = Battery.absent
  /// The newest that was said, 0...100.
  public var percent: Int?
  public var timeLeft: Nanoseconds?
  /// Something other than the battery feeds the machine.
  public var isExternal = false

  public init() {}
}
