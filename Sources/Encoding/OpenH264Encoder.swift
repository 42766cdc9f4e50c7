#if OpenH264
  import COpenH264
  public import Media

  /// H.264 by libopenh264: real-time camera mode, rate control by bitrate, no picture skipped. It aims at the peak, but
  /// does not guarantee it (`VideoEncoderKind.guaranteesPeak`).
  ///
  /// Opened and used on one thread. Logs nothing.
  public final class OpenH264Encoder: VideoEncoder {
    public let settings: VideoEncoderSettings
    public let parameterSets: H264ParameterSets

    private static let library = "libopenh264"
    private let encoder: UnsafeMutablePointer<ISVCEncoder?>
    // In the heap, because it is 8 KB that need no copying.
    private let info: UnsafeMutablePointer<SFrameBSInfo>
    private var packet: [UInt8] = []
    private var lastTime: MonotonicTime?

    /// Throws `setting`, `open` or `parameterSets`.
    public init(_ settings: VideoEncoderSettings) throws(EncodingError) {
      try settings.validate()
      var created: UnsafeMutablePointer<ISVCEncoder?>?
      let status = WelsCreateSVCEncoder(&created)
      guard status == 0, let created else { throw .open(library: Self.library, code: Int(status)) }
      let info = UnsafeMutablePointer<SFrameBSInfo>.allocate(capacity: 1)
      info.initialize(to: SFrameBSInfo())

      var sets: H264ParameterSets?
      let opened = Self.initialize(created, settings)
      if opened == 0 { sets = Self.parameterSets(of: created, info) }
      guard let sets else {
        lapel_openh264_uninitialize(created)
        WelsDestroySVCEncoder(created)
        info.deallocate()
        if opened != 0 { throw .open(library: Self.library, code: Int(opened)) }
        throw .parameterSets(library: Self.library)
      }
      self.settings = settings
      self.info = info
      encoder = created
      parameterSets = sets
      packet.reserveCapacity(settings.bufferBytes)
    }

    deinit {
      lapel_openh264_uninitialize(encoder)
      WelsDestroySVCEncoder(encoder)
      info.deallocate()
    }

    public func encode(
      picture: RawSpan, layout: I420Layout, time: MonotonicTime, position: Int64, forceKeyframe: Bool,
      emit: (PacketHeader, RawSpan) -> Void
    ) throws(EncodingError) {
      try checkInput(bytes: picture.byteCount, layout: layout, time: time, last: lastTime)
      let isFirst = lastTime == nil
      lastTime = time
      if forceKeyframe || isFirst {
        let status = lapel_openh264_force_keyframe(encoder)
        guard status == 0 else { throw .encode(library: Self.library, code: Int(status)) }
      }

      // Milliseconds are the library's unit; the exact time is carried by us.
      let stamp = time.nanoseconds / 1_000_000
      var source = SSourcePicture()
      source.iColorFormat = Int32(videoFormatI420.rawValue)
      source.iPicWidth = Int32(layout.width)
      source.iPicHeight = Int32(layout.height)
      source.iStride = (Int32(layout.lumaStride), Int32(layout.chromaStride), Int32(layout.chromaStride), 0)
      source.uiTimeStamp = stamp
      let status = picture.withUnsafeBytes { bytes in
        // The library declares the planes mutable and only reads them, within the call.
        let planes = UnsafeMutableRawBufferPointer(mutating: bytes).baseAddress?.assumingMemoryBound(to: UInt8.self)
        source.pData = (planes, planes?.advanced(by: layout.blueOffset), planes?.advanced(by: layout.redOffset), nil)
        return lapel_openh264_encode(encoder, &source, info)
      }
      guard status == 0 else { throw .encode(library: Self.library, code: Int(status)) }
      let type = info.pointee.eFrameType
      guard type != videoFrameTypeSkip, type != videoFrameTypeInvalid else {
        throw .noPacket(library: Self.library, time: time)
      }
      guard info.pointee.uiTimeStamp == stamp else {
        throw .outOfStep(library: Self.library, sent: stamp, received: info.pointee.uiTimeStamp)
      }

      packet.removeAll(keepingCapacity: true)
      var isIDR = false
      try Self.forEachUnit(in: info) { (unit: UnsafeRawBufferPointer) throws(EncodingError) in
        switch unit[0] & 0x1f {
        case 5:
          isIDR = true
          append(unit)
        case 1: append(unit)
        case 7: try demandSame(unit, parameterSets.sequence)
        case 8: try demandSame(unit, parameterSets.picture)
        default: break
        }
      }
      guard !packet.isEmpty else { throw .noPacket(library: Self.library, time: time) }

      var flags: PacketFlags = isFirst ? .streamStart : []
      if isIDR { flags.insert(.keyframe) }
      let header = PacketHeader(track: .video, flags: flags, length: packet.count, time: time, position: position)
      packet.withUnsafeBytes { emit(header, $0.bytes) }
    }

    /// The lowest of three complexities is that of the fastest presets.
    public var canLowerEffort: Bool { Self.complexity(settings.preset) != LOW_COMPLEXITY }

    public func setEffort(lowered: Bool) throws(EncodingError) {
      let complexity = lowered ? LOW_COMPLEXITY : Self.complexity(settings.preset)
      guard lapel_openh264_set_complexity(encoder, Int32(complexity.rawValue)) == 0 else {
        throw .setting(name: "effort", value: lowered ? "lowered" : "as configured", allowed: "what libopenh264 takes")
      }
    }

    private static func complexity(_ preset: VideoPreset) -> ECOMPLEXITY_MODE {
      switch preset {
      case .ultrafast, .superfast: LOW_COMPLEXITY
      case .veryfast, .faster: MEDIUM_COMPLEXITY
      case .fast, .medium: HIGH_COMPLEXITY
      }
    }

    private func append(_ unit: UnsafeRawBufferPointer) {
      let length = UInt32(unit.count)
      packet.append(UInt8(truncatingIfNeeded: length >> 24))
      packet.append(UInt8(truncatingIfNeeded: length >> 16))
      packet.append(UInt8(truncatingIfNeeded: length >> 8))
      packet.append(UInt8(truncatingIfNeeded: length))
      packet.append(contentsOf: unit)
    }

    private func demandSame(_ unit: UnsafeRawBufferPointer, _ known: [UInt8]) throws(EncodingError) {
      guard unit.elementsEqual(known) else { throw .packet(library: Self.library, reason: "parameter sets changed") }
    }

    private static func initialize(
      _ encoder: UnsafeMutablePointer<ISVCEncoder?>, _ settings: VideoEncoderSettings
    ) -> Int32 {
      lapel_openh264_set_trace_level(encoder, Int32(WELS_LOG_QUIET))
      var p = SEncParamExt()
      let status = lapel_openh264_default_parameters(encoder, &p)
      guard status == 0 else { return status }
      p.iUsageType = CAMERA_VIDEO_REAL_TIME
      p.iPicWidth = Int32(settings.width)
      p.iPicHeight = Int32(settings.height)
      p.fMaxFrameRate = Float(settings.framesPerSecond)
      p.iRCMode = RC_BITRATE_MODE
      p.iTargetBitrate = Int32(settings.bitrate)
      p.iMaxBitrate = Int32(settings.peakBitrate)
      // A picture that is too big is still evidence.
      p.bEnableFrameSkip = false
      // Where the lower end is 0, the library puts 42 in the place of the upper one.
      p.iMinQp = 12
      p.iMaxQp = 51
      p.iTemporalLayerNum = 1
      p.iSpatialLayerNum = 1
      p.iComplexityMode = complexity(settings.preset)
      // Keyframes only by request (KeyframeCadence).
      p.uiIntraPeriod = 0
      p.bEnableSceneChangeDetect = false
      p.eSpsPpsIdStrategy = CONSTANT_ID
      p.bPrefixNalAddingCtrl = false
      p.bEnableSSEI = false
      p.iEntropyCodingModeFlag = 1
      p.bEnableLongTermReference = false
      p.iMultipleThreadIdc = UInt16(settings.threads)

      let layer = lapel_openh264_first_layer(&p)
      layer?.pointee.iVideoWidth = p.iPicWidth
      layer?.pointee.iVideoHeight = p.iPicHeight
      layer?.pointee.fFrameRate = p.fMaxFrameRate
      layer?.pointee.iSpatialBitrate = p.iTargetBitrate
      layer?.pointee.iMaxSpatialBitrate = p.iMaxBitrate
      layer?.pointee.uiProfileIdc = PRO_HIGH
      layer?.pointee.sSliceArgument.uiSliceMode = settings.threads > 1 ? SM_FIXEDSLCNUM_SLICE : SM_SINGLE_SLICE
      layer?.pointee.sSliceArgument.uiSliceNum = UInt32(settings.threads)
      layer?.pointee.bVideoSignalTypePresent = true
      layer?.pointee.uiVideoFormat = 5
      layer?.pointee.bFullRange = settings.colour.isFullRange
      layer?.pointee.bColorDescriptionPresent = true
      let colour: UInt8 = settings.colour.matrix == .bt601 ? 6 : 1
      layer?.pointee.uiColorPrimaries = colour
      layer?.pointee.uiTransferCharacteristics = colour
      layer?.pointee.uiColorMatrix = colour
      return lapel_openh264_initialize(encoder, &p)
    }

    private static func parameterSets(
      of encoder: UnsafeMutablePointer<ISVCEncoder?>, _ info: UnsafeMutablePointer<SFrameBSInfo>
    ) -> H264ParameterSets? {
      guard lapel_openh264_parameter_sets(encoder, info) == 0 else { return nil }
      var sets = H264ParameterSets(sequence: [], picture: [])
      try? forEachUnit(in: info) { (unit: UnsafeRawBufferPointer) throws(EncodingError) in
        if unit[0] & 0x1f == 7 { sets.sequence = [UInt8](unit) }
        if unit[0] & 0x1f == 8 { sets.picture = [UInt8](unit) }
      }
      return sets.sequence.isEmpty || sets.picture.isEmpty ? nil : sets
    }

    /// Calls `body` with each NAL unit of a picture, without its start code; never with an empty one.
    private static func forEachUnit(
      in info: UnsafePointer<SFrameBSInfo>, _ body: (UnsafeRawBufferPointer) throws(EncodingError) -> Void
    ) throws(EncodingError) {
      for index in 0..<max(0, info.pointee.iLayerNum) {
        guard let layer = lapel_openh264_layer(info, index), let lengths = layer.pointee.pNalLengthInByte,
          var start = layer.pointee.pBsBuf
        else { throw .packet(library: library, reason: "a layer without bytes") }
        for length in UnsafeBufferPointer(start: lengths, count: max(0, Int(layer.pointee.iNalCount))) {
          let bytes = UnsafeRawBufferPointer(start: start, count: Int(length))
          start += Int(length)
          // Annex B: 00 00 01 or 00 00 00 01.
          guard let one = bytes.prefix(4).firstIndex(of: 1), one >= 2, one + 1 < bytes.count else {
            throw .packet(library: library, reason: "a NAL unit without start code")
          }
          try body(UnsafeRawBufferPointer(rebasing: bytes[(one + 1)...]))
        }
      }
    }
  }
#endif
