public import Media

/// Makes of the supplies' readings how long recording can go on: readings in, a state out, no I/O, no clock.
///
/// The levels do not flutter: each is left upwards a little above where it was entered, and *critical* only with another supply
/// or a battery that is not low. What nobody knows is no alarm; an alarm that was given stays until something says better.
public struct PowerMonitor: Sendable {
  public struct Limits: Hashable, Sendable {
    /// At or below it the battery is low; at or below the other, critical.
    public var lowPercent = 20
    public var criticalPercent = 5
    /// Low, too, when the driver says that no more than this is left. Zero: it is not asked.
    public var reserve = Nanoseconds.seconds(600)
    /// Above a level's limit before it is left upwards.
    public var margin = 3
    /// A gauge that loses its bus for a moment says 0: a fall by more than this counts when the next reading says it again.
    public var steepFall = 10

    public init() {}
  }

  public let limits: Limits
  /// The only battery that counts; nil: all.
  public let chosen: String?
  public private(set) var state = PowerState()
  /// The percentage that was believed last, and one that waits to be said again.
  private var believed: Int?
  private var doubted: Int?
  /// The reading before said that less than the reserve is left.
  private var wasShort = false
  /// The reading before said critical.
  private var wasCritical = false

  public init(limits: Limits, chosen: String? = nil) {
    self.limits = limits
    self.chosen = chosen
  }

  /// Takes in the next reading.
  public mutating func take(_ reading: PowerReading) -> PowerState {
    let batteries = reading.supplies.filter {
      $0.kind == .battery && $0.isPresent && (chosen == nil || $0.name == chosen)
    }
    let isDischarging = batteries.contains { $0.charge == .discharging }
    // A supply that is too weak lets the battery run down all the same; one that no driver knows shows by its charging.
    let isFed =
      reading.supplies.contains { $0.kind == .external && $0.isOnline == true }
      || batteries.contains { $0.charge == .charging }
    let percent = believable(Self.percent(of: batteries))
    state.isExternal = isFed && !isDischarging
    state.battery = battery(batteries, percent)
    if batteries.isEmpty { (believed, doubted) = (nil, nil) }
    state.percent = percent
    // Batteries that are emptied one after the other last as long as all of them; one that does not say spoils the sum.
    let times = batteries.compactMap(\.timeLeft)
    state.timeLeft = times.isEmpty || times.count < batteries.count ? nil : times.reduce(.zero, +)
    state.level = level(percent)
    return state
  }

  private func battery(_ batteries: [SupplyReading], _ percent: Int?) -> PowerState.Battery {
    if batteries.isEmpty { return state.battery == .absent ? .absent : .gone }
    return percent == nil ? .silent : .present
  }

  private mutating func level(_ percent: Int?) -> PowerLevel? {
    let wasLow = state.level == .low || state.level == .critical
    let isShort = state.timeLeft.map { $0 <= (wasLow ? limits.reserve * 3 / 2 : limits.reserve) } ?? false
    defer { wasShort = isShort }
    let isCritical = percent.map { $0 <= limits.criticalPercent } ?? false
    defer { wasCritical = !state.isExternal && isCritical }
    if state.isExternal { return .external }
    // A gauge that falls silent when its battery is empty is no better battery.
    guard let percent else { return wasLow ? state.level : nil }
    // It ends a recording: one reading, of a gauge that lost its bus or a charger that is plugged in anew, is not enough.
    if isCritical, !wasCritical, state.level != .critical { return state.level == .external ? .external : .low }
    if isCritical { return .critical }
    // When the load goes a gauge climbs by itself.
    if state.level == .critical, percent <= limits.lowPercent + limits.margin { return .critical }
    if percent <= limits.lowPercent + (wasLow ? limits.margin : 0) || isShort && (wasShort || wasLow) { return .low }
    return .normal
  }

  private mutating func believable(_ percent: Int?) -> Int? {
    guard let percent else { return nil }
    if let believed, believed - percent > limits.steepFall {
      guard let doubted, abs(doubted - percent) <= limits.steepFall else {
        doubted = percent
        return believed
      }
    }
    doubted = nil
    believed = percent
    return percent
  }

  /// Of several batteries, each by what it holds when full; where one does not say that, each counts the same.
  private static func percent(of batteries: [SupplyReading]) -> Int? {
    let told = batteries.compactMap { battery in battery.percent.map { (percent: $0, capacity: battery.capacity) } }
    guard !told.isEmpty else { return nil }
    let capacities = told.compactMap(\.capacity)
    guard capacities.count == told.count, capacities.allSatisfy({ $0 > 0 }) else {
      return told.reduce(0) { $0 + $1.percent } / told.count
    }
    let whole = capacities.reduce(0.0) { $0 + Double($1) }
    let held = zip(told, capacities).reduce(0.0) { $0 + Double($1.0.percent) * Double($1.1) }
    return Int(held / whole)
  }
}
