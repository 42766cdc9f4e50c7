/// One pixel format that a camera offers, with its sizes and rates (VIDIOC_ENUM_FMT, _FRAMESIZES, _FRAMEINTERVALS).
public struct FormatOffer: Hashable, Sendable {
  public var pixelFormat: PixelFormat
  /// Empty when the driver does not list sizes (then only trying shows), and for formats that cannot be used.
  public var sizes: [SizeOffer]

  public init(pixelFormat: PixelFormat, sizes: [SizeOffer]) {
    self.pixelFormat = pixelFormat
    self.sizes = sizes
  }
}

/// One size, or one range of sizes, with its rates.
public struct SizeOffer: Hashable, Sendable {
  public enum Extent: Hashable, Sendable {
    case exact(FrameSize)
    /// From the smallest to the largest in steps; a step of 0 counts as 1.
    case range(smallest: FrameSize, largest: FrameSize, step: FrameSize)
  }
  public enum Rates: Hashable, Sendable {
    case list([FrameRate])
    case range(slowest: FrameRate, fastest: FrameRate)
    /// The driver does not list rates.
    case unknown
  }

  public var extent: Extent
  public var rates: Rates

  public init(extent: Extent, rates: Rates) {
    self.extent = extent
    self.rates = rates
  }

  public func holds(_ size: FrameSize) -> Bool {
    switch extent {
    case .exact(let exact): return exact == size
    case .range(let smallest, let largest, let step):
      func fits(_ value: Int, _ low: Int, _ high: Int, _ step: Int) -> Bool {
        value >= low && value <= high && (value - low) % max(1, step) == 0
      }
      return fits(size.width, smallest.width, largest.width, step.width)
        && fits(size.height, smallest.height, largest.height, step.height)
    }
  }

  public func holds(_ rate: FrameRate) -> Bool {
    switch rates {
    case .list(let list): list.contains { $0.isNear(rate) }
    case .range(let slowest, let fastest):
      slowest.isNear(rate) || fastest.isNear(rate) || (slowest < rate && rate < fastest)
    case .unknown: true
    }
  }
}

extension SizeOffer: CustomStringConvertible {
  /// `640x360 (30, 15)`.
  public var description: String {
    let place =
      switch extent {
      case .exact(let size): "\(size)"
      case .range(let smallest, let largest, _): "\(smallest) to \(largest)"
      }
    switch rates {
    case .list(let list):
      // The fastest first; a long list says nothing more.
      let shown = Set(list).sorted(by: >).prefix(4).map(\.description).joined(separator: ", ")
      return "\(place) (\(shown)\(list.count > 4 ? ", …" : "") fps)"
    case .range(let slowest, let fastest): return "\(place) (\(slowest) to \(fastest) fps)"
    case .unknown: return place
    }
  }
}

extension [FormatOffer] {
  /// The format to ask for: the one named, or the cheapest to convert, that has the size and rate.
  ///
  /// Pure. Nil when none of the offers fits; a format without a list of sizes fits whatever is asked, after all others.
  func choice(for request: CameraRequest) -> PixelFormat? {
    var candidates = PixelFormat.supported
    if let asked = request.pixelFormat {
      // H.264 cannot be converted and is taken when it is named only.
      candidates = (asked.isUsable ? [asked] : []) + candidates.filter { $0 != asked && $0.isVariant(of: asked) }
    }
    for listed in [true, false] {
      for candidate in candidates {
        for offer in self where offer.pixelFormat == candidate && offer.sizes.isEmpty != listed {
          if !listed || offer.sizes.contains(where: { $0.holds(request.size) && $0.holds(request.rate) }) {
            return candidate
          }
        }
      }
    }
    return nil
  }

  /// What is offered, in one line for an error: `YUYV 640x360 (30, 15 fps), 1280x720 (10 fps); MJPG …`. Formats with the
  /// same sizes stand together; of those that cannot be used only the names are told.
  var summary: String {
    if isEmpty { return "nothing" }
    var groups: [(names: [String], sizes: [SizeOffer])] = []
    for offer in self where offer.pixelFormat.isUsable {
      if let index = groups.firstIndex(where: { $0.sizes == offer.sizes }) {
        groups[index].names.append("\(offer.pixelFormat)")
      } else {
        groups.append((["\(offer.pixelFormat)"], offer.sizes))
      }
    }
    var parts = groups.map { group in
      let sizes = group.sizes.prefix(6).map(\.description).joined(separator: ", ")
      let more = group.sizes.count > 6 ? " and \(group.sizes.count - 6) more sizes" : ""
      return "\(group.names.joined(separator: ", ")) \(group.sizes.isEmpty ? "(sizes not listed)" : sizes + more)"
    }
    let others = filter { !$0.pixelFormat.isUsable }
    if !others.isEmpty {
      let names = others.prefix(6).map(\.pixelFormat.description).joined(separator: ", ")
      parts.append("and \(names)\(others.count > 6 ? ", …" : ""), which cannot be used")
    }
    return parts.joined(separator: "; ")
  }
}
